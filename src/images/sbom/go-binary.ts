import type { Package } from "./package.ts";

const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);
const MAGIC = Buffer.from("\xff Go buildinf:", "latin1");
const HEADER = 32;
/** Around what the linker was told of modules (Go, `runtime/debug`). */
const MARK = 16;

/** Reads `length` bytes of a file from `position`; fewer at its end. */
export type ReadAt = (position: number, length: number) => Buffer;

/** The modules a Go program was built of, as `go version -m` shows them (Go 1.18 and later, ELF of 64 bits, little endian). */
export function readGoBinary(read: ReadAt, place: string): readonly Package[] {
  const section = buildInfoSection(read);
  if (!section) return [];
  const info = read(section.offset, Math.min(section.size, 1 << 20));
  if (!info.subarray(0, MAGIC.length).equals(MAGIC)) return [];
  // From Go 1.18 on the strings follow; before there were pointers.
  if (((info[15] ?? 0) & 2) === 0) return [];
  const version = stringAt(info, HEADER);
  const modules = version && stringAt(info, version.end);
  if (!version || !modules) return [];
  const found: Package[] = [{ kind: "golang", name: "stdlib", version: version.text.replace(/^go/, ""), place }];
  const lines = modules.text.slice(MARK, -MARK).split("\n");
  for (const line of lines) {
    const [what, name = "", release = ""] = line.split("\t");
    if (what === "=>") {
      // Replaces the module of the line before.
      found.pop();
    } else if (what !== "mod" && what !== "dep") continue;
    if (name !== "" && release !== "") found.push({ kind: "golang", name, version: release, place });
  }
  return found;
}

function buildInfoSection(read: ReadAt): { readonly offset: number; readonly size: number } | undefined {
  const head = read(0, 64);
  const is64 = head[4] === 2 && head[5] === 1;
  if (head.length < 64 || !head.subarray(0, 4).equals(ELF) || !is64) return undefined;
  const table = Number(head.readBigUInt64LE(40));
  const [size, count, names] = [head.readUInt16LE(58), head.readUInt16LE(60), head.readUInt16LE(62)];
  if (size < 64 || count === 0 || count > 4096) return undefined;
  const sections = read(table, size * count);
  if (sections.length < size * count || names >= count) return undefined;
  const placeOf = (at: number) => ({
    offset: Number(sections.readBigUInt64LE(at * size + 24)),
    size: Number(sections.readBigUInt64LE(at * size + 32)),
  });
  const strings = placeOf(names);
  const text = read(strings.offset, Math.min(strings.size, 1 << 20));
  for (let at = 0; at < count; at++) {
    const start = sections.readUInt32LE(at * size);
    const end = text.indexOf(0, start);
    if (end >= 0 && text.subarray(start, end).toString("latin1") === ".go.buildinfo") return placeOf(at);
  }
  return undefined;
}

/** A length as a varint, then as many bytes. */
function stringAt(bytes: Buffer, position: number): { readonly text: string; readonly end: number } | undefined {
  let length = 0;
  let at = position;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  const end = at + length;
  return end > bytes.length ? undefined : { text: bytes.subarray(at, end).toString("latin1"), end };
}
