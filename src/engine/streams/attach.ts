import { HavreError } from "../../base/mod.ts";
import type { EngineContext } from "../context.ts";
import { bundleFolder } from "../context.ts";
import type { AttachOptions, StreamSession } from "../engine.ts";
import { getContainer, hasProcess } from "../lookup.ts";
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from "./detach-keys.ts";
import type { StreamHub } from "./hub.ts";
import { ConnectionSession } from "./session.ts";
import { stdioOf } from "./stdio.ts";

/**
 * A session on a container's streams: live when it runs, else connected by its next start. `conflict` when it is
 * paused or restarting.
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
  if (hasProcess(container)) {
    const stdio = stdioOf(container.spec.config);
    session.connect(await context.runtime.attach(container.id, bundleFolder(context, container.id), stdio));
  } else {
    hub.waitForStart(container.id, session);
  }
  context.events.emitContainer(container, "attach");
  return session;
}
