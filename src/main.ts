import { type DaemonSettings, defaultSurroundings, type HostCheck, runCommandLine } from "./cli/mod.ts";

/** The engine is most of the program: loaded only by those who ask to be it. */
async function runDaemon(settings: DaemonSettings): Promise<number> {
  const { DEFAULT_BRIDGE } = await import("./daemon/options.ts");
  const options = {
    root: settings.root,
    run: settings.run,
    bridge: settings.bridge ?? DEFAULT_BRIDGE,
    logLevel: settings.logLevel,
    defaultRuntime: settings.defaultRuntime ?? "crun",
    runtimes: new Map(Object.entries(settings.addedRuntimes)),
    ...(settings.subnet === undefined ? {} : { subnet: settings.subnet }),
    ...(settings.socketGroup === undefined ? {} : { socketGroup: settings.socketGroup }),
  };
  if (settings.cleanup) await (await import("./daemon/clean-up.ts")).cleanUp(options);
  else await (await import("./daemon/main.ts")).runDaemon(options);
  return 0;
}

async function diagnose(daemon: { readonly root: string; readonly bridge?: string }): Promise<readonly HostCheck[]> {
  const [doctor, { DEFAULT_BRIDGE }] = await Promise.all([
    import("./daemon/doctor/mod.ts"),
    import("./daemon/options.ts"),
  ]);
  return doctor.diagnose(await doctor.collectFacts({ bridge: DEFAULT_BRIDGE, ...daemon }));
}

// No top-level await: an error that nobody catches must end the program.
runCommandLine(defaultSurroundings(process.argv.slice(2), { runDaemon, diagnose })).then((code) => process.exit(code));
