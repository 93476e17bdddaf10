import { isHavreError } from "../../../base/mod.ts";
import type { Client } from "../../../client/mod.ts";
import {
  Actions,
  type ContainerState,
  isOneOff,
  isRunning,
  type Project,
  planStop,
  runPlan,
  serviceOf,
} from "../../../compose/mod.ts";
import type { Context } from "../../context.ts";
import type { ClientEngine } from "./engine.ts";
import { ClientImages } from "./image-maker.ts";
import { LogView, shortName } from "./log-view.ts";
import { stepProgress } from "./progress.ts";

export interface AttachOptions {
  readonly project: Project;
  readonly services: readonly string[];
  /** Those whose output is shown. */
  readonly shown: readonly string[];
  readonly coloured: boolean;
  readonly prefixed: boolean;
  readonly timestamps: boolean;
  /** When one ends, all do. */
  readonly aborts: boolean;
  readonly exitCodeFrom: string;
  readonly timeout: number | undefined;
  /** Those that ran before: their earlier output is not shown again. */
  readonly before: ReadonlySet<string>;
}

const EXIT_INTERRUPTED = 130;

/**
 * Shows the output of a project's containers until all have ended. The first interrupt stops them, the second kills
 * them. Returns the exit code.
 */
export async function attachProject(context: Context, engine: ClientEngine, options: AttachOptions): Promise<number> {
  const client = engine.client;
  const containers = (await engine.containers(options.project.name)).filter(
    (one) => !isOneOff(one) && options.services.includes(serviceOf(one)),
  );
  const view = new LogView(context, options);
  view.announce(containers.map(shortName));
  context.err.line(`Attaching to ${containers.map(shortName).join(", ")}`);
  let interrupts = 0;
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= stopAll(context, engine, options));
  const onInterrupt = () => {
    interrupts++;
    if (interrupts === 1) {
      context.err.line("\nGracefully stopping... (press Ctrl+C again to force)");
      void stop().catch(() => {});
    } else void killAll(client, containers);
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onInterrupt);
  let exitCode = 0;
  try {
    await Promise.all(
      containers.map(async (container) => {
        const code = await watchOne(client, engine, view, container, options);
        if (interrupts === 0) view.line(shortName(container), `exited with code ${code}`);
        if (serviceOf(container) === options.exitCodeFrom) exitCode = code;
        else if (options.aborts && options.exitCodeFrom === "" && stopping === undefined) exitCode = code;
        if (options.aborts && stopping === undefined) {
          context.err.line("Aborting on container exit...");
          await stop();
        }
      }),
    );
    await stopping;
  } finally {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onInterrupt);
  }
  return interrupts > 0 ? EXIT_INTERRUPTED : exitCode;
}

/** Follows one through its restarts; its exit code when it has ended for good. */
async function watchOne(
  client: Client,
  engine: ClientEngine,
  view: LogView,
  container: ContainerState,
  options: AttachOptions,
): Promise<number> {
  const shown = options.shown.includes(serviceOf(container));
  let tail = options.before.has(container.id) ? "0" : "all";
  let since: string | undefined;
  for (;;) {
    try {
      if (shown) await view.follow(client, container, { follow: true, tail, since, timestamps: options.timestamps });
      else await engine.wait(container.id, new AbortController().signal);
      since = (Date.now() / 1000).toFixed(9);
      tail = "all";
      const { status, exitCode } = await engine.condition(container.id);
      if (status !== "running" && status !== "restarting" && status !== "paused") return exitCode;
      if (status === "restarting") await untilChanged(engine, container.id);
    } catch (error) {
      // Someone removed it.
      if (isHavreError(error, "not-found")) return 0;
      throw error;
    }
  }
}

async function untilChanged(engine: ClientEngine, id: string): Promise<void> {
  const over = new AbortController();
  const changes = engine.changes([id], over.signal);
  try {
    const next = changes.next();
    const { status } = await engine.condition(id);
    if (status === "restarting") await next;
    else next.catch(() => {});
  } finally {
    over.abort();
  }
}

async function stopAll(context: Context, engine: ClientEngine, options: AttachOptions): Promise<void> {
  const { project, timeout } = options;
  const found = (await engine.containers(project.name)).filter((one) => options.services.includes(serviceOf(one)));
  using progress = stepProgress(context.err, "plain", 0);
  const actions = new Actions({
    project,
    observed: { containers: found, networks: new Map(), volumes: new Map(), images: new Map() },
    engine,
    images: new ClientImages(engine.client, context, project),
    signal: new AbortController().signal,
    timeout,
    filesFolder: undefined,
    warn: (message) => context.err.line(`WARN ${message}`),
  });
  await runPlan(planStop(found.filter(isRunning)), (step, detail) => actions.run(step, detail), {
    signal: new AbortController().signal,
    onEvent: (event) => progress.onEvent(event),
    limit: 16,
  });
}

async function killAll(client: Client, containers: readonly ContainerState[]): Promise<void> {
  await Promise.allSettled(containers.map(({ id }) => client.run("POST", `/containers/${id}/kill`)));
}
