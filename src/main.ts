import { type DaemonSettings, defaultSurroundings, runCommandLine } from "./cli/mod.ts";

/** The engine is most of the program: loaded only by those who ask to be it. */
async function runDaemon(settings: DaemonSettings): Promise<number> {
  const [{ runDaemon: run }, { DEFAULT_BRIDGE }] = await Promise.all([
    import("./daemon/main.ts"),
    import("./daemon/options.ts"),
  ]);
  await run({
    root: settings.root,
    run: settings.run,
    bridge: settings.bridge ?? DEFAULT_BRIDGE,
    logLevel: settings.logLevel,
    defaultRuntime: settings.defaultRuntime ?? "crun",
    runtimes: new Map(Object.entries(settings.addedRuntimes)),
    ...(settings.subnet === undefined ? {} : { subnet: settings.subnet }),
    ...(settings.socketGroup === undefined ? {} : { socketGroup: settings.socketGroup }),
  });
  return 0;
}

// No top-level await: an error that nobody catches must end the program.
runCommandLine(defaultSurroundings(process.argv.slice(2), runDaemon)).then((code) => process.exit(code));
