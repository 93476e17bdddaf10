import { pipeline, Readable } from "node:stream";
import { createDeflateRaw, createGzip } from "node:zlib";
import { HavreError } from "../../../base/mod.ts";
import type { PathStat } from "../../../engine/mod.ts";
import { sendStatus, sendStream } from "../answers.ts";
import type { Exchange, Route } from "../exchange.ts";
import type { UseCases } from "../use-cases.ts";

function pathOf({ query }: Exchange): string {
  const path = query.text("path");
  if (path === "") throw new HavreError("invalid-argument", "bad parameter: pathcannot be empty");
  return path;
}

function setStatHeader({ response }: Exchange, stat: PathStat): void {
  response.setHeader("X-Docker-Container-Path-Stat", Buffer.from(JSON.stringify(stat)).toString("base64"));
}

async function stat(exchange: Exchange, { archives }: UseCases): Promise<void> {
  setStatHeader(exchange, await archives.stat(exchange.parameter("name"), pathOf(exchange)));
  sendStatus(exchange, 200);
}

/** The encoding the client would take and dockerd would give. */
function compressor({ request }: Exchange) {
  const offered = String(request.headers["accept-encoding"] ?? "")
    .toLowerCase()
    .split(",");
  const accepts = (name: string) =>
    offered.some((item) => item.trim().split(";")[0] === name && !/;\s*q=0(\.0*)?\s*$/.test(item));
  if (accepts("gzip")) return { name: "gzip", stream: createGzip({ level: 1 }) };
  if (accepts("deflate")) return { name: "deflate", stream: createDeflateRaw({ level: 1 }) };
  return undefined;
}

async function get(exchange: Exchange, { archives }: UseCases): Promise<void> {
  const { stat: found, tar } = await archives.get(exchange.parameter("name"), pathOf(exchange));
  setStatHeader(exchange, found);
  const encoding = compressor(exchange);
  if (!encoding) return sendStream(exchange, "application/x-tar", tar);
  exchange.response.setHeader("Content-Encoding", encoding.name);
  // Both end together: a tree stays mounted until its reader is told that the client went away. Errors come out at the end.
  pipeline(Readable.from(tar), encoding.stream, () => {});
  await sendStream(exchange, "application/x-tar", encoding.stream);
}

async function put(exchange: Exchange, { archives }: UseCases): Promise<void> {
  const { query, request } = exchange;
  await archives.put(exchange.parameter("name"), pathOf(exchange), request, {
    noOverwriteDirNonDir: query.flag("noOverwriteDirNonDir"),
    copyUidGid: query.flag("copyUIDGID"),
  });
  sendStatus(exchange, 200);
}

async function exportTree(exchange: Exchange, { archives }: UseCases): Promise<void> {
  await sendStream(exchange, "application/octet-stream", await archives.export(exchange.parameter("name")));
}

/** Files in and out of containers. */
export function archiveRoutes(useCases: UseCases): readonly Route[] {
  const path = "/containers/{name}/archive";
  return [
    { method: "HEAD", path, handle: (exchange) => stat(exchange, useCases) },
    { method: "GET", path, handle: (exchange) => get(exchange, useCases) },
    { method: "PUT", path, handle: (exchange) => put(exchange, useCases) },
    { method: "GET", path: "/containers/{name}/export", handle: (exchange) => exportTree(exchange, useCases) },
  ];
}
