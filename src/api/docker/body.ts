import type { IncomingMessage } from "node:http";
import { HavreError } from "../../base/mod.ts";
import { StatusError } from "./errors.ts";

/** No JSON of this API comes near it. */
const LIMIT = 16 * 1024 * 1024;
/** A client reads its refusal only after it has sent all; beyond this it is cut off without one. */
const PATIENCE = 8 * LIMIT;

function checkContentType(request: IncomingMessage, empty: boolean): void {
  const given = request.headers["content-type"] ?? "";
  if (given === "" && empty) return;
  const media = (given.split(";", 1)[0] ?? "").trim().toLowerCase();
  if (media === "")
    throw new HavreError("invalid-argument", `malformed Content-Type header (${given}): mime: no media type`);
  if (media !== "application/json") {
    throw new HavreError("invalid-argument", `unsupported Content-Type header (${given}): must be 'application/json'`);
  }
}

/** The whole body as text. */
export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > PATIENCE) break;
    if (size > LIMIT) chunks.length = 0;
    else chunks.push(chunk);
  }
  if (size > LIMIT) {
    throw new StatusError(413, "invalid-argument", `The request body is larger than ${LIMIT / 1024 / 1024} MiB`);
  }
  return Buffer.concat(chunks).toString();
}

/** A JSON body as text, its content type checked as dockerd checks it; undefined when there is none. */
export async function readJsonText(request: IncomingMessage): Promise<string | undefined> {
  const announced = request.headers["content-length"] !== undefined && request.headers["content-length"] !== "0";
  const empty = !announced && request.headers["transfer-encoding"] === undefined;
  checkContentType(request, empty);
  return empty ? undefined : readText(request);
}
