import {
  type DaemonSettings,
  defaultSurroundings,
  type HostCheck,
  type RawTerminal,
  type RegistrySettings,
  runCommandLine,
} from "./cli/mod.ts";

/** The engine is most of the program: loaded only by those who ask to be it, or for its knowledge of the host. */
const daemonFolder = () => import("./daemon/mod.ts");

async function runDaemon(settings: DaemonSettings): Promise<number> {
  const daemon = await daemonFolder();
  const options = {
    root: settings.root,
    run: settings.run,
    bridge: settings.bridge ?? daemon.DEFAULT_BRIDGE,
    openPorts: settings.openPorts,
    ...daemon.policyOptions(settings),
    logLevel: settings.logLevel,
    defaultRuntime: settings.defaultRuntime ?? "crun",
    runtimes: new Map(Object.entries(settings.addedRuntimes)),
    registryMirrors: settings.registryMirrors,
    insecureRegistries: settings.insecureRegistries,
    ...(settings.subnet === undefined ? {} : { subnet: settings.subnet }),
    defaultAddressPools: settings.defaultAddressPools,
    hostAccess: settings.hostAccess,
    ...(settings.imageRetention === undefined ? {} : { imageRetention: settings.imageRetention }),
    ...(settings.pluginFolder === undefined ? {} : { pluginFolder: settings.pluginFolder }),
    ...(settings.usernsRemap === undefined ? {} : { usernsRemap: settings.usernsRemap }),
    ...(settings.socketGroup === undefined ? {} : { socketGroup: settings.socketGroup }),
  };
  if (settings.cleanup) await daemon.cleanUp(options);
  else await daemon.runDaemon(options);
  return 0;
}

async function runRegistry(settings: RegistrySettings): Promise<number> {
  await (await daemonFolder()).runRegistry(settings);
  return 0;
}

async function diagnose(host: { readonly root: string; readonly bridge?: string }): Promise<readonly HostCheck[]> {
  const daemon = await daemonFolder();
  return daemon.diagnose(await daemon.collectFacts({ bridge: daemon.DEFAULT_BRIDGE, ...host }));
}

/** The command line does not know the kernel: what it needs of it for a terminal is handed in. */
async function rawTerminal(fd: number): Promise<RawTerminal> {
  const { makeRaw } = await import("./kernel/mod.ts");
  return makeRaw(fd);
}

/** Milliseconds after which a command is not a short one any more. */
const SHORT = 50;
// The compiled program begins reluctant to compile to machine code (scripts/build.ts).
setTimeout(() => Bun.unsafe.setJITPolicy(1), SHORT).unref();

/** Blocks the thread until its container is gone: nothing else of the program is loaded. */
async function observe(folder: string): Promise<number> {
  return (await daemonFolder()).observe(folder);
}

// No top-level await: an error that nobody catches must end the program.
const [command, folder = ""] = process.argv.slice(2);
const work =
  command === "__observe"
    ? observe(folder)
    : runCommandLine(defaultSurroundings(process.argv.slice(2), { runDaemon, runRegistry, diagnose, rawTerminal }));
work.then((code) => process.exit(code));
