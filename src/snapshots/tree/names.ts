import { HavreError } from "../../base/mod.ts";

/**
 * Names in a tree are bytes. They are kept as strings of one character per byte (latin1): fast keys that lose nothing.
 * `bytes` and `shown` lead out of that form.
 */
export type ByteName = string;

export const toBytes = (name: ByteName): Uint8Array => Buffer.from(name, "latin1");
export const fromBytes = (bytes: Uint8Array): ByteName =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
/** For people: as UTF-8, lossy. */
export const shown = (name: ByteName): string => Buffer.from(name, "latin1").toString("utf8");

/** The components of an archive's name, cleaned as path(7) would; one that climbs above the top is refused. */
export function components(raw: Uint8Array): ByteName[] {
  const parts: ByteName[] = [];
  for (const part of fromBytes(raw).split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) {
      throw new HavreError("invalid-argument", `Refused archive: ${shown(fromBytes(raw))} lies outside of it`);
    }
  }
  return parts;
}
