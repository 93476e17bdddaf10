import { HavreError } from "../../base/mod.ts";
import { type OutputChunk, readLog } from "../../runtime/mod.ts";
import type { Container } from "../container.ts";
import { bundleFolder, type EngineContext, logPath } from "../context.ts";
import type { AttachOptions, StreamSession } from "../engine.ts";
import { getContainer, hasProcess } from "../lookup.ts";
import { SessionAfterLog } from "./after-log.ts";
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from "./detach-keys.ts";
import type { AttachableProcess, StreamHub } from "./hub.ts";
import { ConnectionSession } from "./session.ts";
import { stdioOf } from "./stdio.ts";

/**
 * A session on a container's streams: live when it runs, else connected by its next start; what was logged before comes
 * first if asked for, and is all when `stream` is not. `conflict` when it is paused or restarting.
 */
export async function attachContainer(
  context: EngineContext,
  hub: StreamHub,
  ref: string,
  options: AttachOptions,
): Promise<StreamSession> {
  const container = getContainer(context.store, ref);
  const { state } = container.status;
  if (state === "paused") {
    throw new HavreError("conflict", `container ${ref} is paused, unpause the container before attach`);
  }
  if (state === "restarting") {
    throw new HavreError("conflict", `container ${ref} is restarting, wait until the container is running`);
  }
  const session = new ConnectionSession({
    terminal: container.spec.config.Tty,
    stdin: options.stdin && container.spec.config.OpenStdin,
    stdout: options.stdout,
    stderr: options.stderr,
    detachKeys: parseDetachKeys(options.detachKeys || DEFAULT_DETACH_KEYS),
    onDetach: () => context.events.emitContainer(container, "detach"),
  });
  const now = context.clock.now();
  if (!options.stream) {
    session.end();
  } else if (hasProcess(container)) {
    await hub.attach(container.id, session, attachableProcess(context, container));
  } else {
    hub.waitForStart(container.id, session);
  }
  context.events.emitContainer(container, "attach");
  if (!options.logs) return session;
  const reading = new AbortController();
  return new SessionAfterLog(session, logged(context, container, { ...options, until: now }, reading.signal), reading);
}

/** How clients reach the container's process. */
export function attachableProcess(context: EngineContext, { id, spec }: Container): AttachableProcess {
  const stdio = stdioOf(spec.config);
  return {
    stdinOnce: stdio.stdin && stdio.stdinOnce,
    connect: () => context.runtime.attach(id, bundleFolder(context, id), stdio),
  };
}

/** What the container logged until then (what came later comes live, and only once); where it keeps no log that can be read, Docker's line for that. */
async function* logged(
  context: EngineContext,
  { id, spec }: Container,
  { stdout, stderr, until }: AttachOptions & { readonly until: number },
  signal: AbortSignal,
): AsyncGenerator<OutputChunk> {
  if (spec.hostConfig.LogConfig.Type !== "none") {
    yield* readLog(logPath(context, id), { stdout, stderr, timestamps: false, until, signal });
    return;
  }
  const data = Buffer.from("Error attaching: configured logging driver does not support reading\n");
  yield { stream: "stdout", data };
}
