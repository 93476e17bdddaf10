import { HavreError, isHavreError } from "../../../base/mod.ts";
import type { Client, Hijacked } from "../../../client/mod.ts";
import type { Context } from "../../context.ts";
import { runSession } from "../../streams/session.ts";

/** An exec to attach to, its command line read. */
export interface ExecOrder {
  readonly context: Context;
  readonly client: Client;
  readonly container: string;
  /** Body of `POST /containers/{id}/exec`. */
  readonly json: object;
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly detachKeys: string;
}

/** The exec's exit code, or that the user left it. */
type Outcome = number | "detached";

/** By one request of the native API. Undefined: the daemon is not one that knows it; nothing has happened then. */
export async function execInOne(order: ExecOrder): Promise<Outcome | undefined> {
  const { context, client, container, json } = order;
  if (context.places.host !== undefined) return undefined;
  let stream: Hijacked;
  try {
    stream = await client.hijack("POST", "/havre/v1/exec", { query: { container }, json });
  } catch (error) {
    if (isHavreError(error, "not-found") && error.message.includes("page not found")) return undefined;
    throw error;
  }
  let end = "";
  const outcome = await join(order, stream, stream.head.headers.get("havre-exec-id") ?? "", (data) => {
    end += Buffer.from(data).toString();
  });
  if (outcome === "detached") return "detached";
  if (end === "") {
    throw new HavreError("unavailable", "The daemon went away; the command may still run", {
      hint: `See with: havre top ${container}`,
    });
  }
  return (JSON.parse(end) as { readonly exitCode: number }).exitCode;
}

/** Docker's way. */
export async function execInSteps(order: ExecOrder): Promise<Outcome> {
  const { client, container, json, tty } = order;
  const id = await createExec(client, container, json);
  const stream = await client.hijack("POST", `/exec/${id}/start`, { json: { Detach: false, Tty: tty } });
  if ((await join(order, stream, id)) === "detached") return "detached";
  return (await client.json<{ ExitCode: number | null }>("GET", `/exec/${id}/json`)).ExitCode ?? 0;
}

export async function createExec(client: Client, container: string, json: object): Promise<string> {
  return (await client.json<{ Id: string }>("POST", `/containers/${container}/exec`, { json })).Id;
}

/** Joins our streams to the exec's; its terminal follows the size of ours. */
async function join(
  { context, client, stdin, tty, detachKeys }: ExecOrder,
  stream: Hijacked,
  id: string,
  onSystem?: (data: Uint8Array) => void,
): Promise<"ended" | "detached"> {
  const { followSize } =
    tty && context.out.isTerminal ? await import("../../streams/resize.ts") : { followSize: undefined };
  using _size = followSize?.(client, `/exec/${id}/resize`);
  // Awaited here: the size is followed until the session ends.
  return await runSession({ stream, tty, stdin, detachKeys, context, ...(onSystem === undefined ? {} : { onSystem }) });
}
