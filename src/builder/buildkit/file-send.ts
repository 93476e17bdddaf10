import { create, toBinary } from "@bufbuild/protobuf";
import { HavreError } from "../../base/mod.ts";
import { toBytes } from "../../snapshots/mod.ts";
import { walk } from "../ops/files/paths.ts";
import type { FileSource, SourceFile } from "../ops/files/source.ts";
import { goMode } from "./go-file-mode.ts";
import { nextPacket, outOfTurn, type Packets, sendPacket } from "./packets.ts";
import type { ClientCall } from "./rpc/client.ts";
import type { Session } from "./session.ts";
import { BytesMessageSchema, Packet_Type, type Stat } from "./wire/session.ts";

const FILE_SEND = "/moby.filesync.v1.FileSend/DiffCopy";
const EXPORTER = "buildkit-attachable-exporter-id";
/** Of one message. */
const LARGEST = 1024 * 1024;

/** Writes files into a folder of the client (fsutil's protocol, from its other side). `exporter`: which of the client's outputs it is. */
export async function sendFiles(
  session: Session,
  exporter: number,
  files: FileSource,
  signal: AbortSignal,
): Promise<void> {
  await using call = open(session, exporter, signal);
  const packets = call.messages[Symbol.asyncIterator]();
  const known: SourceFile[] = [];
  const links = new Map<string, string>();
  const top = files.stat("");
  for (const file of top === undefined ? [] : walk(files, top)) {
    if (file === top) continue;
    known.push(file);
    await sendPacket(call, { type: Packet_Type.STAT, stat: statOf(file, links) });
  }
  await sendPacket(call, { type: Packet_Type.STAT });
  await answer(call, packets, known, files);
  call.end();
  for (let next = await packets.next(); !next.done; next = await packets.next());
}

/** Gives the contents that are asked for until nothing more is wanted. */
async function answer(
  call: ClientCall,
  packets: Packets,
  known: readonly SourceFile[],
  files: FileSource,
): Promise<void> {
  for (;;) {
    const packet = await nextPacket(packets);
    if (packet.type === Packet_Type.FIN) return sendPacket(call, { type: Packet_Type.FIN });
    const file = known[packet.id];
    if (packet.type !== Packet_Type.REQ || file === undefined) throw outOfTurn(packet);
    const { id } = packet;
    for (const data of file.type === "file" ? files.read(file) : []) {
      await sendPacket(call, { type: Packet_Type.DATA, id, data: new Uint8Array(data) });
    }
    await sendPacket(call, { type: Packet_Type.DATA, id });
  }
}

/** Writes bytes into a file of the client. */
export async function sendBytes(
  session: Session,
  exporter: number,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  await using call = open(session, exporter, signal);
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; at += LARGEST) {
      const data = new Uint8Array(chunk.subarray(at, at + LARGEST));
      await call.send(toBinary(BytesMessageSchema, create(BytesMessageSchema, { data })));
    }
  }
  call.end();
  // It is written when the client says so.
  for await (const _ of call.messages);
}

function open(session: Session, exporter: number, signal: AbortSignal): ClientCall {
  if (session.offers(FILE_SEND)) return session.rpc.call(FILE_SEND, { [EXPORTER]: String(exporter) }, signal);
  throw new HavreError("failed-precondition", "The client takes no files");
}

type StatInit = Omit<Stat, "$typeName" | "$unknown">;

/** A further name of a file is a link to the first. */
function statOf(file: SourceFile, links: Map<string, string>): StatInit {
  const path = text(file.path);
  const first = file.identity === undefined ? undefined : links.get(file.identity);
  if (file.identity !== undefined && first === undefined) links.set(file.identity, path);
  return {
    path,
    mode: goMode(file.type, file.mode),
    uid: file.uid,
    gid: file.gid,
    size: first === undefined ? BigInt(file.size) : 0n,
    modTime: file.mtime,
    linkname: first ?? text(file.linkTarget),
    devmajor: BigInt(file.devMajor),
    devminor: BigInt(file.devMinor),
    xattrs: Object.fromEntries([...file.xattrs].map(([name, value]) => [name, new Uint8Array(value)])),
  };
}

function text(name: string): string {
  return Buffer.from(toBytes(name)).toString();
}
