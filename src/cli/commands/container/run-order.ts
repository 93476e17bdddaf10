import type { Client, Hijacked } from "../../../client/mod.ts";
import type { Context } from "../../context.ts";
import { runSession } from "../../streams/session.ts";
import type { CreationOptions } from "./creation.ts";
import type { CreateBody } from "./options/request.ts";
import type { Trace } from "./trace.ts";

/** What a `run` is to do, its command line read. */
export interface RunOrder {
  readonly context: Context;
  readonly body: CreateBody;
  readonly flags: CreationOptions & { readonly "detach-keys": string; readonly "sig-proxy": boolean };
  readonly trace: Trace | undefined;
}

/** Joins our streams to the container's; its terminal follows the size of ours. */
export async function joinContainer(
  { context, body, flags }: RunOrder,
  client: Client,
  id: string,
  stream: Hijacked,
  onSystem?: (data: Uint8Array) => void,
): Promise<"ended" | "detached"> {
  const resizes = body.Tty && context.out.isTerminal;
  const { followSize } = resizes ? await import("../../streams/resize.ts") : { followSize: undefined };
  using _size = followSize?.(client, `/containers/${id}/resize`);
  // Awaited here: the size is followed until the session ends.
  return await runSession({
    stream,
    tty: body.Tty,
    stdin: body.AttachStdin,
    detachKeys: flags["detach-keys"],
    context,
    ...(onSystem === undefined ? {} : { onSystem }),
  });
}
