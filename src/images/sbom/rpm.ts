import type { Package } from "./package.ts";

/** Of a header of an RPM database (rpm, `rpmtag.h`). */
const TAG = { name: 1000, version: 1001, release: 1002, epoch: 1003, license: 1014, architecture: 1022, source: 1044 };
const [INT32, STRING, I18N] = [4, 6, 9];
const ENTRY = 16;

/**
 * A package of an RPM database: its header (a count of entries and of bytes, the entries, the bytes they point into). undefined for what is none,
 * and for keys that are kept as if they were packages.
 */
export function readRpmHeader(blob: Uint8Array, place: string): Package | undefined {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  if (bytes.length < 8) return undefined;
  const entries = bytes.readUInt32BE(0);
  const size = bytes.readUInt32BE(4);
  const start = 8 + entries * ENTRY;
  if (start + size > bytes.length) return undefined;
  const data = bytes.subarray(start, start + size);
  const values = new Map<number, string | number>();
  for (let at = 0; at < entries; at++) {
    const entry = 8 + at * ENTRY;
    const [tag, type, offset] = [
      bytes.readUInt32BE(entry),
      bytes.readUInt32BE(entry + 4),
      bytes.readUInt32BE(entry + 8),
    ];
    if (offset >= data.length) continue;
    if (type === STRING || type === I18N) {
      const end = data.indexOf(0, offset);
      values.set(tag, data.subarray(offset, end < 0 ? data.length : end).toString());
    } else if (type === INT32 && offset + 4 <= data.length) values.set(tag, data.readUInt32BE(offset));
  }
  const text = (tag: number) => (values.get(tag) === undefined ? "" : String(values.get(tag)));
  const name = text(TAG.name);
  if (name === "" || name === "gpg-pubkey") return undefined;
  const epoch = values.get(TAG.epoch);
  const [architecture, license, source] = [text(TAG.architecture), text(TAG.license), text(TAG.source)];
  return {
    kind: "rpm",
    name,
    version: `${epoch === undefined ? "" : `${epoch}:`}${text(TAG.version)}-${text(TAG.release)}`,
    ...(architecture === "" ? {} : { architecture }),
    ...(license === "" ? {} : { license }),
    ...(source === "" ? {} : { source }),
    place,
  };
}
