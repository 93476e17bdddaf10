import type { Project, RunOptions } from "../../../compose/mod.ts";
import type { Context } from "../../context.ts";
import { terminalSize } from "../../output/terminal.ts";
import type { BuildWishes } from "./build-request.ts";
import { ClientEngine } from "./engine.ts";
import type { ProjectFlags } from "./flags.ts";
import { ClientImages } from "./image-maker.ts";
import { type StepProgress, stepProgress } from "./progress.ts";

/** What a command needs that changes something: an engine, somewhere to show how it goes, and a way to be stopped. */
export interface Session extends AsyncDisposable {
  readonly engine: ClientEngine;
  readonly images: ClientImages;
  readonly progress: StepProgress;
  readonly signal: AbortSignal;
  readonly run: RunOptions;
  /** Draws no more: what is said next stands below. Interrupts still stop the work. */
  stopShowing(): void;
  /** Without the progress: a warning does not tear it. */
  readonly warn: (message: string) => void;
}

const AT_ONCE = 16;
const EXIT_INTERRUPTED = 130;

/**
 * Opens one. The first interrupt stops the work: what has begun is finished, nothing more begins; the second ends the
 * program at once.
 */
export async function openSession(
  context: Context,
  flags: ProjectFlags,
  project?: Project,
  wishes?: BuildWishes,
): Promise<Session> {
  const client = await context.client();
  const columns = context.err.isTerminal ? (await terminalSize(2)).columns : 0;
  const progress = stepProgress(context.err, flags.progress, columns);
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    progress.line("Stopping: what has begun is finished first (press Ctrl+C again to leave at once)");
    controller.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  const limit = flags.parallel > 0 ? flags.parallel : Number(context.env.COMPOSE_PARALLEL_LIMIT) || AT_ONCE;
  return {
    engine: new ClientEngine(client),
    images: new ClientImages(client, context, project, wishes),
    progress,
    signal: controller.signal,
    run: { signal: controller.signal, onEvent: (event) => progress.onEvent(event), limit },
    stopShowing: () => progress[Symbol.dispose](),
    warn: (message) => progress.line(`WARN ${message}`),
    [Symbol.asyncDispose]: async () => {
      progress[Symbol.dispose]();
      process.off("SIGINT", interrupt);
      process.off("SIGTERM", interrupt);
    },
  };
}
