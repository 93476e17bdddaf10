import { HavreError } from "../../base/mod.ts";
import { encodeTarHeader, TAR_TRAILER, type TarHeaderInit, type TarType, tarPadding } from "../../snapshots/mod.ts";
import type { StampedFile } from "../ops/files/kept-contexts.ts";
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

/** A folder of a client whose files are known and whose contents are about to come (fsutil's protocol: all names first, then what is asked for). */
export class FolderTransfer implements AsyncDisposable {
  readonly #call: ClientCall;
  readonly #packets: Packets;
  readonly #stats: readonly Stat[];

  private constructor(call: ClientCall, packets: Packets, stats: readonly Stat[]) {
    this.#call = call;
    this.#packets = packets;
    this.#stats = stats;
  }

  /** `failed-precondition` for a client without folders, `not-found` when it does not share this one. */
  static async open(
    session: Session,
    { folder, excludes = [], follow = [] }: FileRequest,
    signal: AbortSignal,
  ): Promise<FolderTransfer> {
    if (!session.offers(DIFF_COPY)) throw new HavreError("failed-precondition", "no local sources enabled");
    const metadata = {
      "dir-name": folder,
      ...listHeader("exclude-patterns", excludes),
      ...listHeader("followpaths", follow),
    };
    const call = session.rpc.call(DIFF_COPY, metadata, signal);
    try {
      const packets = call.messages[Symbol.asyncIterator]();
      return new FolderTransfer(call, packets, await readStats(packets));
    } catch (error) {
      await call[Symbol.asyncDispose]();
      throw error;
    }
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#call[Symbol.asyncDispose]();
  }

  /** The regular files with what changes when they do; those that are more than a path and bytes (names of one file, attributes) are left out. */
  files(): readonly StampedFile[] {
    const linked = new Set(this.#stats.filter((stat) => typeOf(stat) === "hardlink").map(({ linkname }) => linkname));
    return this.#stats.flatMap((stat): readonly StampedFile[] => {
      const plain = typeOf(stat) === "file" && !linked.has(stat.path) && Object.keys(stat.xattrs).length === 0;
      return plain ? [[stat.path, Number(stat.size), `${stat.modTime} ${stat.mode}`]] : [];
    });
  }

  /** As an archive, without the files of these paths. Owners are root, as builds have it. `onBytes` is told how many bytes of contents have come. */
  async *archive(
    without: ReadonlySet<string> = new Set(),
    onBytes: (total: number) => void = () => {},
  ): AsyncGenerator<Uint8Array> {
    const contents = new Contents(this.#call, this.#packets, this.#stats, without);
    let total = 0;
    for (const [id, stat] of this.#stats.entries()) {
      const header = headerOf(stat);
      if (header === undefined || without.has(stat.path)) continue;
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
    await sendPacket(this.#call, { type: Packet_Type.FIN });
    this.#call.end();
    for (let next = await this.#packets.next(); !next.done; next = await this.#packets.next());
  }
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
  readonly #without: ReadonlySet<string>;
  readonly #waiting = new Map<number, Uint8Array[]>();
  readonly #complete = new Set<number>();
  #asked = 0;
  #ahead = 0;

  constructor(call: ClientCall, packets: Packets, stats: readonly Stat[], without: ReadonlySet<string>) {
    this.#call = call;
    this.#packets = packets;
    this.#stats = stats;
    this.#without = without;
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
      if (stat === undefined || headerOf(stat)?.type !== "file" || this.#without.has(stat.path)) continue;
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
