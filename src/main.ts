import { type DaemonSettings, defaultSurroundings, runCommandLine } from "./cli/mod.ts";

/** The engine is most of the program: loaded only by those who ask to be it. */
async function runDaemon(_settings: DaemonSettings): Promise<number> {
  throw new Error("The daemon is not part of this build");
}

// No top-level await: an error that nobody catches must end the program.
runCommandLine(defaultSurroundings(process.argv.slice(2), runDaemon)).then((code) => process.exit(code));
