import { HavreError } from "../../../../base/mod.ts";
import { type Client, FrameReader } from "../../../../client/mod.ts";
import type { BuildFailure, BuildLine, BuildMade } from "./lines.ts";

export interface NativeRequest {
  /** As `POST /havre/v1/build` has it. */
  readonly request: object;
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
  { request, body, headers, signal }: NativeRequest,
  listener: BuildListener,
): Promise<BuildMade | BuildFailure | undefined> {
  const answer = await client.request("POST", "/havre/v1/build", {
    body: bodyOf(request, body),
    contentType: "application/vnd.havre.build",
    headers,
    ...(signal ? { signal } : {}),
  });
  let last: BuildLine | undefined;
  let told = "";
  const reader = new FrameReader((stream, data) => {
    if (stream === "stdout") return listener.files(data);
    told += Buffer.from(data).toString("latin1");
    const line = parse(told);
    if (!line) return;
    told = "";
    last = line;
    listener.line(line);
  });
  for await (const chunk of answer.body) reader.push(chunk);
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
