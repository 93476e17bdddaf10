import { HavreError } from "../../base/mod.ts";
import { encodeTarHeader, TAR_TRAILER, type TarHeaderInit, type TarType, tarPadding } from "../../snapshots/mod.ts";
import { permissionsOfGoMode, typeOfGoMode } from "./go-file-mode.ts";
import { nextPacket, outOfTurn, type Packets, sendPacket } from "./packets.ts";
import type { ClientCall } from "./rpc/client.ts";
import type { Session } from "./session.ts";
import { Packet_Type, type Stat } from "./wire/session.ts";

const DIFF_COPY = "/moby.filesync.v1.FileSync/DiffCopy";

/** Which files of a client's folder are wanted. Patterns as in `.dockerignore`. */
export interface FileRequest {
  /** What the client calls the folder. */
  readonly folder: string;
  readonly excludes?: readonly string[];
  /** These paths, and what their links lead to. */
  readonly follow?: readonly string[];
}

/** Bytes asked for beyond the file that is being read. They may arrive before their turn and wait in memory. */
const AHEAD = 8 * 1024 * 1024;

/**
 * The files of a client's folder as an archive (fsutil's protocol: all names first, then the contents that are asked for). Owners are
 * root, as builds have it. `onBytes` is told how many of their contents have come. `not-found` when the client does not share the folder.
 */
export async function* receiveFolder(
  session: Session,
  { folder, excludes = [], follow = [] }: FileRequest,
  signal: AbortSignal,
  onBytes: (total: number) => void = () => {},
): AsyncGenerator<Uint8Array> {
  if (!session.offers(DIFF_COPY)) throw new HavreError("failed-precondition", "no local sources enabled");
  const metadata = {
    "dir-name": folder,
    ...listHeader("exclude-patterns", excludes),
    ...listHeader("followpaths", follow),
  };
  await using call = session.rpc.call(DIFF_COPY, metadata, signal);
  const packets = call.messages[Symbol.asyncIterator]();
  const stats = await readStats(packets);
  const contents = new Contents(call, packets, stats);
  let total = 0;
  for (const [id, stat] of stats.entries()) {
    const header = headerOf(stat);
    if (header === undefined) continue;
    yield encodeTarHeader(header);
    if (header.type !== "file") continue;
    for await (const piece of contents.of(id)) {
      total += piece.length;
      onBytes(total);
      yield piece;
    }
    yield tarPadding(header.size ?? 0);
  }
  yield TAR_TRAILER;
  await sendPacket(call, { type: Packet_Type.FIN });
  call.end();
  for (let next = await packets.next(); !next.done; next = await packets.next());
}

async function readStats(packets: Packets): Promise<readonly Stat[]> {
  const stats: Stat[] = [];
  for (;;) {
    const packet = await nextPacket(packets);
    if (packet.type !== Packet_Type.STAT) throw outOfTurn(packet);
    if (packet.stat === undefined) return stats;
    stats.push(packet.stat);
  }
}

/** Asks for contents a little ahead and gives them in order, whatever order they come in. */
class Contents {
  readonly #call: ClientCall;
  readonly #packets: Packets;
  readonly #stats: readonly Stat[];
  readonly #waiting = new Map<number, Uint8Array[]>();
  readonly #complete = new Set<number>();
  #asked = 0;
  #ahead = 0;

  constructor(call: ClientCall, packets: Packets, stats: readonly Stat[]) {
    this.#call = call;
    this.#packets = packets;
    this.#stats = stats;
  }

  /** Exactly as many bytes as the file was said to have: one that changes meanwhile is cut, or filled with zeros. */
  async *of(id: number): AsyncGenerator<Uint8Array> {
    let missing = Number(this.#stats[id]?.size ?? 0n);
    await this.#ask(id);
    this.#ahead -= missing;
    for (;;) {
      const parts = this.#waiting.get(id) ?? [];
      this.#waiting.set(id, []);
      for (const part of parts) {
        const piece = part.subarray(0, missing);
        missing -= piece.length;
        if (piece.length > 0) yield piece;
      }
      if (this.#complete.has(id)) break;
      await this.#receive();
    }
    this.#waiting.delete(id);
    this.#complete.delete(id);
    for (; missing > 0; missing -= Math.min(missing, ZEROS.length)) yield ZEROS.subarray(0, missing);
  }

  async #ask(current: number): Promise<void> {
    while (this.#asked < this.#stats.length && (this.#asked <= current || this.#ahead < AHEAD)) {
      const id = this.#asked++;
      const stat = this.#stats[id];
      if (stat === undefined || headerOf(stat)?.type !== "file") continue;
      this.#ahead += Number(stat.size);
      await sendPacket(this.#call, { type: Packet_Type.REQ, id });
    }
  }

  async #receive(): Promise<void> {
    const packet = await nextPacket(this.#packets);
    if (packet.type !== Packet_Type.DATA || packet.id >= this.#asked) throw outOfTurn(packet);
    if (packet.data.length === 0) this.#complete.add(packet.id);
    else {
      const parts = this.#waiting.get(packet.id) ?? [];
      parts.push(packet.data);
      this.#waiting.set(packet.id, parts);
    }
  }
}

const ZEROS = new Uint8Array(64 * 1024);

/** undefined: nothing an archive holds, a socket say. */
function headerOf(stat: Stat): TarHeaderInit | undefined {
  const type = typeOf(stat);
  if (type === undefined) return undefined;
  return {
    path: stat.path,
    type,
    mode: permissionsOfGoMode(stat.mode),
    size: type === "file" ? Number(stat.size) : 0,
    mtime: stat.modTime,
    linkTarget: stat.linkname,
    devMajor: Number(stat.devmajor),
    devMinor: Number(stat.devminor),
    xattrs: new Map(Object.entries(stat.xattrs)),
  };
}

function typeOf({ mode, linkname }: Stat): TarType | undefined {
  const type = typeOfGoMode(mode);
  return type === "file" && linkname !== "" ? "hardlink" : type;
}

/** Several headers of one name; what is not ASCII goes encoded, and is said to be. */
function listHeader(name: string, values: readonly string[]): Record<string, string[] | string> {
  if (values.length === 0) return {};
  // biome-ignore lint/suspicious/noControlCharactersInRegex: headers are ASCII
  if (values.every((value) => /^[\x00-\x7f]*$/.test(value))) return { [name]: [...values] };
  const encoded = values.map((value) => encodeURIComponent(value).replaceAll("%20", "+"));
  return { [name]: encoded, [`${name}-encoded`]: "1" };
}
