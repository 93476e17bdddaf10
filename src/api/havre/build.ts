import { HavreError } from "../../base/mod.ts";
import type { BuildLine, NativeBuild, StampedFile } from "../../builder/mod.ts";
import { sendJson, sendStatus, startStream, write } from "../docker/answers.ts";
import type { Exchange, Route } from "../docker/exchange.ts";
import { registriesOf } from "../docker/registry-auth.ts";
import { frame } from "../docker/stdcopy.ts";
import type { UseCases } from "../docker/use-cases.ts";

/** No request comes near it, secrets included. */
const REQUEST_LIMIT = 8 * 1024 * 1024;
/** A million files or so. */
const LISTING_LIMIT = 128 * 1024 * 1024;

/**
 * Builds: the body is the request as one line of JSON, then the context as an archive. The answer is in frames: of the
 * stream's system kind a `BuildLine` as JSON each, of standard output the bytes of an archive where files were asked for, of standard error
 * those of files for caches in the client's folders.
 */
async function build(exchange: Exchange, { nativeBuilds }: UseCases): Promise<void> {
  const { response, signal } = exchange;
  const { line, rest } = await firstLine(exchange.request);
  const request: NativeBuild = { ...decode(line), credentials: registriesOf(exchange) };
  startStream(exchange, "application/vnd.havre.build");
  const send = (chunk: Parameters<typeof frame>[0]) => write(response, frame(chunk), signal);
  await nativeBuilds.build(
    request,
    rest,
    {
      line: (told: BuildLine) => {
        // The client has gone: the signal stops the build.
        send({ stream: "system", data: Buffer.from(JSON.stringify(told)) }).catch(() => {});
      },
      files: (data) => send({ stream: "stdout", data }),
      blob: (data) => send({ stream: "stderr", data }),
    },
    signal,
  );
  response.end();
}

/** Which files of a context are here as they were last sent. The body: `{ key, files: [[path, size, stamp], …] }`. */
async function compare(exchange: Exchange, { nativeBuilds }: UseCases): Promise<void> {
  const { key, files } = (await readListing(exchange.request)) as { readonly key?: unknown; readonly files?: unknown };
  const isFile = (one: unknown): one is StampedFile =>
    Array.isArray(one) && typeof one[0] === "string" && Number.isSafeInteger(one[1]) && typeof one[2] === "string";
  if (typeof key !== "string" || !Array.isArray(files) || !files.every(isFile)) {
    throw new HavreError("invalid-argument", "A context is a key and files of path, size and stamp");
  }
  sendJson(exchange, 200, nativeBuilds.compare(key, files));
}

/** A file that a build asked for: the body; with `missing` it is not there. */
async function give(exchange: Exchange, { nativeBuilds }: UseCases): Promise<void> {
  const missing = exchange.query.flag("missing");
  await nativeBuilds.give(exchange.parameter("id"), missing ? undefined : exchange.request);
  sendStatus(exchange, 204);
}

async function readListing(body: AsyncIterable<Uint8Array>): Promise<object> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    parts.push(part);
    size += part.length;
    if (size > LISTING_LIMIT)
      throw new HavreError("resource-exhausted", "The context has too many files to be compared");
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString());
    return typeof value === "object" && value !== null ? value : {};
  } catch (cause) {
    throw new HavreError("invalid-argument", "The request's body is not JSON", { cause });
  }
}

async function firstLine(
  body: AsyncIterable<Uint8Array>,
): Promise<{ readonly line: string; readonly rest: AsyncIterable<Uint8Array> }> {
  const iterator = body[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  for (;;) {
    const { done, value } = await iterator.next();
    if (done) throw new HavreError("invalid-argument", "The request ends before the context begins");
    head = Buffer.concat([head, value]);
    const end = head.indexOf(0x0a);
    if (end >= 0) return { line: head.subarray(0, end).toString(), rest: resumed(head.subarray(end + 1), iterator) };
    if (head.length > REQUEST_LIMIT) throw new HavreError("invalid-argument", "The request is too large");
  }
}

async function* resumed(first: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (first.length > 0) yield first;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}

type Fields = Omit<NativeBuild, "credentials">;

const DEFAULTS: Fields = {
  dockerfile: "Dockerfile",
  tags: [],
  buildArgs: {},
  labels: {},
  noCache: false,
  pull: false,
  network: "bridge",
  extraHosts: [],
  limits: {},
  contexts: [],
  secrets: {},
  agents: {},
  allow: [],
  files: false,
  squash: false,
  check: false,
  debug: false,
  cacheFrom: [],
  cacheTo: [],
  provenance: "",
  sbom: [],
  keptContext: "",
  requestedBy: "",
  source: {},
};

/** Each field of the kind that its default has; `invalid-argument` names the one that is not. */
function decode(line: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new HavreError("invalid-argument", "The request is not one line of JSON", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new HavreError("invalid-argument", "The request is not a JSON object");
  }
  const given = value as Readonly<Record<string, unknown>>;
  for (const [name, fallback] of Object.entries(DEFAULTS)) {
    if (given[name] === undefined || (name === "noCache" && Array.isArray(given[name]))) continue;
    const fits = typeof given[name] === typeof fallback && Array.isArray(given[name]) === Array.isArray(fallback);
    if (!fits || given[name] === null)
      throw new HavreError("invalid-argument", `${name}: ${JSON.stringify(given[name])} is not right here`);
  }
  const { cacheFrom, cacheTo } = given;
  for (const option of [cacheFrom, cacheTo].flat()) {
    const { type, attributes } = (option ?? {}) as Record<string, unknown>;
    if (option !== undefined && (typeof type !== "string" || typeof attributes !== "object" || attributes === null)) {
      throw new HavreError("invalid-argument", `${JSON.stringify(option)} is no cache`);
    }
  }
  for (const name of ["target", "platform", "remote", "dockerfileText"]) {
    if (given[name] !== undefined && typeof given[name] !== "string") {
      throw new HavreError("invalid-argument", `${name} is not a string`);
    }
  }
  return { ...DEFAULTS, ...given };
}

export function buildRoutes(useCases: UseCases): readonly Route[] {
  return [
    { method: "POST", path: "/havre/v1/build", handle: (exchange) => build(exchange, useCases) },
    { method: "POST", path: "/havre/v1/build/context", handle: (exchange) => compare(exchange, useCases) },
    { method: "PUT", path: "/havre/v1/build/files/{id}", handle: (exchange) => give(exchange, useCases) },
  ];
}
