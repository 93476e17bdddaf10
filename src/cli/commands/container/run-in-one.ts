import { HavreError, isHavreError } from "../../../base/mod.ts";
import { DAEMON_PREFIX, type Hijacked } from "../../../client/mod.ts";
import { forwardSignals } from "../../streams/signals.ts";
import { PLAIN_NAME, reportCreation, startExitCode, warnAboutRisks } from "./creation.ts";
import { joinContainer, type RunOrder } from "./run-order.ts";

/** How a run ended, as the daemon says in its last frame. */
interface RunEnd {
  readonly exitCode?: number;
  readonly error?: { readonly status: number; readonly message: string; readonly hint?: string };
  readonly timing?: string;
}

const EXIT_UNKNOWN = 125;

/**
 * Runs a container by one request of the native API. Undefined: it is not for this (nobody attaches, the image must be
 * pulled, a file gets the id), or the daemon is not one that knows it; nothing has happened then.
 */
export async function runInOne(order: RunOrder): Promise<number | undefined> {
  const { context, body, flags, trace } = order;
  const attached = body.AttachStdout || body.AttachStderr;
  const plain = PLAIN_NAME.test(body.Image) && flags.pull !== "always" && !body.HostConfig.ContainerIDFile;
  if (!attached || !plain || context.places.host !== undefined) return undefined;
  const stream = await open(order);
  if (!stream) return undefined;
  const client = await context.client();
  const id = stream.head.headers.get("havre-container-id") ?? "";
  trace?.mark("create and attach");
  let end = "";
  using _signals = flags["sig-proxy"] ? forwardSignals(client, id, context.err) : undefined;
  const outcome = await joinContainer(order, client, id, stream, (data) => {
    end += Buffer.from(data).toString();
  });
  if (outcome === "detached") return 0;
  const { exitCode, error, timing } = JSON.parse(end || "{}") as RunEnd;
  trace?.mark(body.HostConfig.AutoRemove ? "start, run, exit and removal" : "start, run and exit", timing);
  if (exitCode !== undefined && !error) return exitCode;
  const failure = new HavreError(
    "failed-precondition",
    error ? DAEMON_PREFIX + error.message : "The daemon went away; the container may still run",
    error?.hint === undefined ? {} : { hint: error.hint },
  );
  reportCreation(context, failure, false);
  return error ? startExitCode(failure) : EXIT_UNKNOWN;
}

/** Undefined when the image is missing or the daemon has no such request: the longer way deals with both. */
async function open({ context, body, flags }: RunOrder): Promise<Hijacked | undefined> {
  const client = await context.client();
  try {
    const stream = await client.hijack("POST", "/havre/v1/run", {
      query: {
        name: flags.name || undefined,
        platform: flags.platform || undefined,
        detachKeys: flags["detach-keys"] || undefined,
      },
      json: body,
    });
    warnAboutRisks(context, body);
    const warnings = JSON.parse(decodeURIComponent(stream.head.headers.get("havre-warnings") ?? "[]")) as string[];
    for (const warning of warnings) context.err.line(`WARNING: ${warning}`);
    return stream;
  } catch (error) {
    if (isHavreError(error, "not-found") && /No such image|page not found/.test(error.message)) return undefined;
    throw error;
  }
}
