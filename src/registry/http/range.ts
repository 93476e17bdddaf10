import { RegistryFault } from "../fault.ts";
import type { ChunkRange } from "../uploads.ts";

/**
 * The bytes a Range header asks for (RFC 9110 § 14.2), `end` excluded; undefined: all of them. Several ranges at once
 * are answered with everything, as a server may. 416 when none of them is there.
 */
export function readRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | undefined {
  const match = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? "");
  if (!match) return undefined;
  const [, from = "", to = ""] = match;
  if (from === "" && to === "") return undefined;
  const start = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === "" || to === "" ? size : Math.min(size, Number(to) + 1);
  if (from !== "" && to !== "" && Number(to) < Number(from)) return undefined;
  if (start < end) return { start, end };
  throw new RegistryFault("SIZE_INVALID", "range not satisfiable", {
    status: 416,
    headers: { "content-range": `bytes */${size}` },
  });
}

/** Content-Range of an upload's chunk: `start-end`, as the specification has it, or `bytes start-end/…`, as RFC 9110 does. */
export function readChunkRange(header: string | undefined, length: number | undefined): ChunkRange | undefined {
  if (header === undefined) return undefined;
  const match = /^(?:bytes[ =])?(\d+)-(\d+)(?:\/(?:\d+|\*))?$/.exec(header.trim());
  const [start, end] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || !Number.isSafeInteger(end) || end < start) {
    throw new RegistryFault("BLOB_UPLOAD_INVALID", "Content-Range is not start-end", { detail: header });
  }
  if (length !== undefined && length !== end - start + 1) {
    throw new RegistryFault("SIZE_INVALID", "Content-Range and Content-Length differ", { status: 400, detail: header });
  }
  return { start, end };
}
