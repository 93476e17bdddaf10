import { isHavreError } from "../../../base/mod.ts";
import type { Client, Hijacked } from "../../../client/mod.ts";
import { forwardSignals } from "../../streams/signals.ts";
import { createContainer, reportCreation, startExitCode } from "./creation.ts";
import { exitOf } from "./exit.ts";
import type { CreateBody } from "./options/request.ts";
import { joinContainer, type RunOrder } from "./run-order.ts";

/**
 * Runs a container by Docker's API, which any daemon speaks: create, attach and wait before the start, so that nothing
 * it says or does is missed.
 */
export async function runInSteps(order: RunOrder): Promise<number> {
  const { context, body, flags, trace } = order;
  const id = await createContainer(context, body, flags);
  trace?.mark("create");
  const client = await context.client();
  const shown = body.AttachStdout || body.AttachStderr;
  const attached = body.AttachStdin || shown;
  // Nobody waits for a container that runs on its own.
  if (!shown) context.out.line(id);
  const [stream, exit] = await Promise.all([
    attached ? attach(client, id, body, flags["detach-keys"]) : undefined,
    shown ? wait(client, id, body) : undefined,
  ]);
  using _signals = flags["sig-proxy"] && attached ? forwardSignals(client, id, context.err) : undefined;
  trace?.mark("attach and wait");
  try {
    const answer = await client.request("POST", `/containers/${id}/start`);
    await answer.text();
    trace?.mark("start", answer.head.headers.get("server-timing"));
  } catch (error) {
    if (!isHavreError(error)) throw error;
    stream?.close();
    reportCreation(context, error, false);
    if (body.HostConfig.AutoRemove) await exit?.promise.catch(() => {});
    return startExitCode(error);
  }
  if (stream && (await joinContainer(order, client, id, stream)) === "detached") return 0;
  trace?.mark("run");
  const code = exit ? await exitOf(context, exit.promise) : 0;
  trace?.mark(body.HostConfig.AutoRemove ? "exit and removal" : "exit");
  return code;
}

function attach(
  client: Client,
  id: string,
  { AttachStdin, AttachStdout, AttachStderr }: CreateBody,
  detachKeys: string,
): Promise<Hijacked> {
  return client.hijack("POST", `/containers/${id}/attach`, {
    query: {
      stream: true,
      stdin: AttachStdin || undefined,
      stdout: AttachStdout || undefined,
      stderr: AttachStderr || undefined,
      detachKeys: detachKeys || undefined,
    },
  });
}

/** Resolves once the daemon waits; its answer comes later. */
async function wait(client: Client, id: string, { HostConfig }: CreateBody): Promise<{ promise: Promise<string> }> {
  const condition = HostConfig.AutoRemove ? "removed" : "next-exit";
  const answer = await client.request("POST", `/containers/${id}/wait`, { query: { condition } });
  return { promise: answer.text() };
}
