import { expect, test } from "bun:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { readTar, shown } from "../../snapshots/mod.ts";
import { FolderTransfer } from "./file-sync.ts";
import { goMode } from "./go-file-mode.ts";
import type { Handler, ServerCall } from "./rpc/server.ts";
import { Session } from "./session.ts";
import { rpcPair } from "./testing/pair.ts";
import { Packet_Type, PacketSchema } from "./wire/session.ts";

type PacketInit = MessageInitShape<typeof PacketSchema>;

const PATH = "/moby.filesync.v1.FileSync/DiffCopy";
const UNUSED = new AbortController().signal;
const { STAT, REQ, DATA, FIN, ERR } = Packet_Type;

function file(path: string, size: number): PacketInit {
  return { type: STAT, stat: { path, mode: goMode("file", 0o640), size: BigInt(size), modTime: 5n } };
}

const packets = (call: ServerCall, list: readonly PacketInit[]) =>
  Promise.all(list.map((packet) => call.send(toBinary(PacketSchema, create(PacketSchema, packet)))));

/** A client that shows `stats` and answers each request with what `contents` has for its number. */
function sender(stats: readonly PacketInit[], contents: (id: number) => readonly PacketInit[]): Handler {
  return async (call) => {
    await packets(call, [...stats, { type: STAT }]);
    for await (const message of call.messages) {
      const { type, id } = fromBinary(PacketSchema, message);
      if (type === REQ) await packets(call, contents(id));
      else if (type === FIN) return void (await packets(call, [{ type: FIN }]));
    }
  };
}

const data = (id: number, text: string): PacketInit => ({ type: DATA, id, data: Buffer.from(text) });

/** The members of the archive that comes of it, with their contents. */
async function received(
  handler: Handler,
  seen: (metadata: ServerCall["metadata"]) => void = () => {},
  without: (transfer: FolderTransfer) => ReadonlySet<string> = () => new Set(),
) {
  const watched: Handler = (call) => {
    seen(call.metadata);
    return handler(call);
  };
  await using pair = await rpcPair(new Map([[PATH, watched]]));
  const session = new Session(pair.client, new Set([PATH.toLowerCase()]), UNUSED);
  const wanted = { folder: "context", excludes: ["a b", "ünï"], follow: ["x"] };
  await using transfer = await FolderTransfer.open(session, wanted, UNUSED);
  const tar = transfer.archive(without(transfer));
  const found: string[] = [];
  for await (const member of readTar(tar)) {
    const { header } = member;
    const { type, mode } = header;
    const names = [header.path, header.linkTarget].filter((name) => name.length > 0).map((name) => shown(name));
    found.push(`${type} ${mode.toString(8)} ${names.join(" → ")} ${Buffer.from(await member.bytes(100))}`.trim());
  }
  return found;
}

test("what the client sends comes as an archive, in order, whatever order contents come in", async () => {
  const stats: PacketInit[] = [
    { type: STAT, stat: { path: "d", mode: goMode("directory", 0o1755) } },
    file("d/one", 3),
    file("d/two", 6),
    { type: STAT, stat: { path: "hard", mode: goMode("file", 0o640), linkname: "d/one" } },
    { type: STAT, stat: { path: "soft", mode: goMode("symlink", 0o777), linkname: "d/two" } },
    { type: STAT, stat: { path: "socket", mode: 1 << 24 } },
  ];
  const late: PacketInit[] = [];
  const contents = (id: number) => {
    if (id === 1) late.push(data(1, "one"), data(1, ""));
    return id === 2 ? [data(2, "two"), data(2, "two"), data(2, ""), ...late] : [];
  };
  let metadata: ServerCall["metadata"] = {};
  const found = await received(sender(stats, contents), (seen) => {
    metadata = seen;
  });
  expect(found).toEqual([
    "directory 1755 d",
    "file 640 d/one one",
    "file 640 d/two twotwo",
    "hardlink 640 hard → d/one",
    "symlink 777 soft → d/two",
  ]);
  expect(metadata).toMatchObject({
    "dir-name": "context",
    "exclude-patterns": "a+b, %C3%BCn%C3%AF",
    "exclude-patterns-encoded": "1",
    followpaths: "x",
  });
});

test("a file that changes while it is read has the size it was said to have", async () => {
  const stats = [file("grown", 3), file("shrunk", 4), file("empty", 0)];
  const found = await received(sender(stats, (id) => [data(id, id === 1 ? "ab" : "abcdef"), data(id, "")]));
  expect(found).toEqual(["file 640 grown abc", "file 640 shrunk ab\0\0", "file 640 empty"]);
});

test("what is known already is not asked for; files with several names or attributes are never known", async () => {
  const stats: PacketInit[] = [
    file("known", 3),
    file("linked", 3),
    { type: STAT, stat: { path: "name", mode: goMode("file", 0o640), linkname: "linked" } },
    file("new", 3),
    { type: STAT, stat: { path: "with", mode: goMode("file", 0o640), xattrs: { "user.a": Buffer.from("b") } } },
  ];
  const asked: number[] = [];
  let known: readonly unknown[] = [];
  const found = await received(
    sender(stats, (id) => {
      asked.push(id);
      return [data(id, "abc"), data(id, "")];
    }),
    undefined,
    (transfer) => {
      known = transfer.files();
      return new Set(["known"]);
    },
  );
  const stamp = `5 ${goMode("file", 0o640)}`;
  expect(known).toEqual([
    ["known", 3, stamp],
    ["new", 3, stamp],
  ]);
  expect(asked).toEqual([1, 3, 4]);
  expect(found).toEqual(["file 640 linked abc", "hardlink 640 name → linked", "file 640 new abc", "file 640 with"]);
});

test.each<[string, Handler, string]>([
  ["an error", async (call) => void (await packets(call, [{ type: ERR, data: Buffer.from("no entry") }])), "no entry"],
  ["too little", async (call) => void (await packets(call, [file("a", 1)])), "The client stopped sending files"],
  ["data unasked", async (call) => void (await packets(call, [data(0, "x")])), "a packet of type DATA out of turn"],
  ["data for another", sender([file("a", 1)], () => [data(7, "x")]), "a packet of type DATA out of turn"],
])("a client that sends %s", async (_, handler, message) => {
  await expect(received(handler)).rejects.toThrow(message);
});
