import { HavreError } from "../../../../base/mod.ts";
import { type Client, FrameReader } from "../../../../client/mod.ts";
import { exportTo, FolderCaches, importFrom } from "./folder-caches.ts";
import type { BuildFailure, BuildLine, BuildMade } from "./lines.ts";
import type { CacheOption } from "./request.ts";

export interface NativeRequest {
  /** As `POST /havre/v1/build` has it. */
  readonly request: object;
  readonly cacheFrom?: readonly CacheOption[];
  readonly cacheTo?: readonly CacheOption[];
  /** The archive of the context, or of several; none for one that the daemon fetches itself. */
  readonly body: AsyncIterable<Uint8Array> | undefined;
  /** Sign-ins for the registries that the Dockerfile names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface BuildListener {
  line(line: BuildLine): void;
  /** Bytes of the archive of a result that is files. */
  files(bytes: Uint8Array): void;
}

/** Builds with the daemon. Resolves with the build's last line; undefined when it was only checked. `unavailable` when the daemon ends before it. */
export async function nativeBuild(
  client: Client,
  { request, cacheFrom = [], cacheTo = [], body, headers, signal }: NativeRequest,
  listener: BuildListener,
): Promise<BuildMade | BuildFailure | undefined> {
  const failure = new AbortController();
  const caches = new FolderCaches(client, [...cacheFrom, ...cacheTo], failure);
  const whole = { ...request, cacheFrom: cacheFrom.map(importFrom), cacheTo: cacheTo.map(exportTo) };
  const answer = await client.request("POST", "/havre/v1/build", {
    body: bodyOf(whole, body),
    contentType: "application/vnd.havre.build",
    headers,
    signal: signal ? AbortSignal.any([signal, failure.signal]) : failure.signal,
  });
  let last: BuildLine | undefined;
  let told = "";
  const reader = new FrameReader((stream, data) => {
    if (stream === "stdout") return listener.files(data);
    if (stream === "stderr") return caches.write(data);
    told += Buffer.from(data).toString("latin1");
    const line = parse(told);
    if (!line) return;
    told = "";
    if (caches.line(line)) return;
    last = line;
    listener.line(line);
  });
  try {
    for await (const chunk of answer.body) reader.push(chunk);
  } catch (error) {
    // Why the connection was closed, where we closed it.
    throw failure.signal.aborted ? failure.signal.reason : error;
  } finally {
    caches.end();
  }
  if (last?.kind === "made" || last?.kind === "failed") return last;
  if (last?.kind === "checked") return undefined;
  throw new HavreError("unavailable", "The daemon went away before the build ended");
}

/** Frames may be cut anywhere: a line is whole when it is JSON. */
function parse(latin1: string): BuildLine | undefined {
  if (!latin1.endsWith("}")) return undefined;
  try {
    return JSON.parse(Buffer.from(latin1, "latin1").toString()) as BuildLine;
  } catch {
    return undefined;
  }
}

async function* bodyOf(request: object, body: AsyncIterable<Uint8Array> | undefined): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${JSON.stringify(request)}\n`);
  if (body) yield* body;
}
