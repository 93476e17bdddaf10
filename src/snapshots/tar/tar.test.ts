import { afterAll, beforeAll, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TarHeader, TarHeaderInit } from "./header.ts";
import { TarParser } from "./parser.ts";
import { readTar } from "./reader.ts";
import { encodeTarHeader, type TarMember, writeTar } from "./writer.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "havre-tar-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

interface Member {
  readonly header: TarHeader;
  readonly content: Uint8Array;
}

async function members(archive: Uint8Array, chunk = 1 << 16): Promise<Member[]> {
  const found: Member[] = [];
  for await (const entry of readTar(inChunks(archive, chunk))) {
    found.push({ header: entry.header, content: await entry.bytes(1 << 24) });
  }
  return found;
}

async function archiveOf(list: readonly TarMember[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of writeTar(list)) parts.push(part);
  return Buffer.concat(parts);
}

const ODD_NAME = Uint8Array.from([0x61, 0xff, 0xfe, 0x62]);
const LONG = `${"d/".repeat(90)}${"n".repeat(200)}`;

const NASTY: readonly TarMember[] = [
  { header: { path: "dir/", type: "directory", mode: 0o1777, mtime: 1_700_000_000_123_456_789n } },
  { header: { path: "dir/file", size: 5, mode: 0o4755, uid: 3_000_000_000, gid: 65_536 }, body: Buffer.from("hello") },
  { header: { path: "dir/empty", mtime: -1_500_000_000n } },
  { header: { path: LONG, size: 1, uname: "root", gname: "grüße" }, body: Buffer.from("x") },
  { header: { path: `${"p".repeat(150)}/${"q".repeat(99)}` } },
  { header: { path: ODD_NAME, type: "symlink", linkTarget: Uint8Array.from([0xfd, 0x2f]) } },
  { header: { path: "umlaut-ü", type: "hardlink", linkTarget: "dir/file" } },
  { header: { path: "long-link", type: "symlink", linkTarget: "t".repeat(300) } },
  { header: { path: "dev", type: "char", devMajor: 10, devMinor: 200_000 } },
  { header: { path: "blk", type: "block", devMajor: 8, devMinor: 1 } },
  { header: { path: "fifo", type: "fifo", mode: 0 } },
  {
    header: {
      path: "caps",
      xattrs: new Map([
        ["security.capability", Uint8Array.from([1, 0, 0, 2, 10, 61, 0xff])],
        ["user.empty", new Uint8Array()],
      ]),
    },
  },
  {
    header: {
      path: "sparse",
      size: 1_000_000,
      extents: [
        { offset: 4096, length: 3 },
        { offset: 999_990, length: 2 },
      ],
    },
    body: Buffer.from("abcde"),
  },
];

function comparable(init: TarHeaderInit): unknown {
  const bytes = (text: string | Uint8Array = "") => Buffer.from(text).toString("latin1");
  return {
    type: init.type ?? "file",
    path: bytes(init.path),
    link: bytes(init.linkTarget),
    mode: init.mode ?? (init.type === "directory" ? 0o755 : 0o644),
    ids: [init.uid ?? 0, init.gid ?? 0, init.uname ?? "", init.gname ?? ""],
    size: init.size ?? 0,
    mtime: init.mtime ?? 0n,
    device: [init.devMajor ?? 0, init.devMinor ?? 0],
    xattrs: [...(init.xattrs ?? [])].map(([key, value]) => [key, bytes(value)]),
    extents: init.extents,
  };
}

const asInit = (header: TarHeader): TarHeaderInit => ({
  ...header,
  path: header.rawPath,
  linkTarget: header.rawLinkTarget,
});

for (const chunk of [1, 511, 512, 4096, 1 << 20]) {
  test(`every kind of member survives writing and reading in chunks of ${chunk}`, async () => {
    const archive = await archiveOf(NASTY);
    const read = await members(archive, chunk);
    expect(read.map(({ header }) => comparable(asInit(header)))).toEqual(NASTY.map(({ header }) => comparable(header)));
    expect(Buffer.from(read[1]?.content ?? []).toString()).toBe("hello");
    const sparse = read.at(-1)?.content ?? new Uint8Array();
    expect(sparse.length).toBe(1_000_000);
    expect(Buffer.from(sparse.subarray(4095, 4100)).toString()).toBe("\0abc\0");
    expect(Buffer.from(sparse.subarray(999_989, 999_993)).toString()).toBe("\0de\0");
  });
}

test("what is written again from what was read is the same bytes", async () => {
  const archive = await archiveOf(NASTY);
  const again: TarMember[] = [];
  for await (const entry of readTar(inChunks(archive, 777))) {
    const whole = await entry.bytes(1 << 24);
    const extents = entry.header.extents ?? [{ offset: 0, length: whole.length }];
    const body = Buffer.concat(extents.map(({ offset, length }) => whole.subarray(offset, offset + length)));
    again.push({ header: asInit(entry.header), body });
  }
  expect(Buffer.from(await archiveOf(again)).equals(Buffer.from(archive))).toBe(true);
});

test("GNU tar and Python read what is written", async () => {
  const path = join(folder, "nasty.tar");
  writeFileSync(path, await archiveOf(NASTY));
  const listing = execFileSync("tar", ["--numeric-owner", "-tvf", path], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  expect(listing.split("\n").length - 1).toBe(NASTY.length);
  expect(listing).toContain("3000000000/65536");
  expect(listing).toMatch(/1000000 .* sparse/);
  expect(listing).toContain("10,200000");
  const script = "import tarfile,sys\nfor m in tarfile.open(sys.argv[1]): print(m.size, m.type, len(m.name))";
  const python = execFileSync("python3", ["-c", script, path], { encoding: "utf8" });
  expect(python.split("\n").length - 1).toBe(NASTY.length);
});

test.each(["v7", "ustar", "gnu", "oldgnu", "posix"])("reads the %s format of GNU tar", async (format) => {
  const tree = join(folder, `tree-${format}`);
  const short = format === "v7" || format === "ustar";
  const name = short ? `${"s".repeat(40)}/file` : `${"a".repeat(150)}/${"b".repeat(150)}`;
  mkdirSync(join(tree, name, ".."), { recursive: true });
  writeFileSync(join(tree, name), "content");
  linkSync(join(tree, name), join(tree, "hard"));
  symlinkSync(short ? "target" : "l".repeat(200), join(tree, "soft"));
  const out = execFileSync("tar", [
    `--format=${format}`,
    "--sort=name",
    "--numeric-owner",
    "-cf",
    "-",
    "-C",
    tree,
    ".",
  ]);
  const read = await members(out);
  const file = read.find(({ header }) => header.type === "file");
  const hard = read.find(({ header }) => header.type === "hardlink");
  expect([file?.header.path, hard?.header.linkTarget].sort()).toEqual(
    file?.header.path === "./hard" ? [`./hard`, "./hard"] : [`./${name}`, `./${name}`],
  );
  expect(Buffer.from(file?.content ?? []).toString()).toBe("content");
  expect(read.find(({ header }) => header.type === "symlink")?.header.linkTarget).toBe(
    short ? "target" : "l".repeat(200),
  );
  expect(read[0]?.header).toMatchObject({ path: "./", type: "directory", mode: 0o755 });
});

test.each(["0.0", "0.1", "1.0", "old"])("reads a sparse file of format %s", async (version) => {
  const name = `sparse-${version}`;
  const fd = openSync(join(folder, name), "w");
  const marks = Array.from({ length: 60 }, (_, index) => index * 131_072);
  for (const [index, mark] of marks.entries()) writeSync(fd, `mark-${index}`, mark);
  ftruncateSync(fd, 9_000_000);
  closeSync(fd);
  const kind = version === "old" ? ["--format=gnu"] : ["--format=posix", `--sparse-version=${version}`];
  const archive = execFileSync("tar", [...kind, "--sparse", "-cf", "-", "-C", folder, name], { maxBuffer: 1 << 26 });
  expect(archive.length).toBeLessThan(1_000_000);
  const [member] = await members(archive, 1000);
  expect(member?.header.path).toBe(name);
  expect(member?.header.extents?.length).toBe(60);
  expect(Buffer.from(member?.content ?? []).equals(readFileSync(join(folder, name)))).toBe(true);
});

test("a member whose content is not taken is skipped", async () => {
  const names: string[] = [];
  for await (const entry of readTar(inChunks(await archiveOf(NASTY), 100))) names.push(entry.header.path);
  expect(names.length).toBe(NASTY.length);
});

const block = (change: (bytes: Uint8Array) => void, init: TarHeaderInit = { path: "x" }): Uint8Array => {
  const bytes = encodeTarHeader(init).slice();
  change(bytes);
  return bytes;
};

test.each<[string, () => Uint8Array, string]>([
  ["something else", () => Buffer.alloc(1024, "not a tar"), "not a tar header"],
  ["a stop inside a header", () => encodeTarHeader({ path: "x" }).subarray(0, 300), "middle of a member"],
  ["a stop inside the content", () => encodeTarHeader({ path: "x", size: 100 }), "middle of a member"],
  ["a changed byte", () => block((bytes) => bytes.fill(1, 3, 4)), "not a tar header"],
  ["a lone extended header", () => encodeTarHeader({ path: "ü" }).subarray(0, 1024), "middle of a member"],
  ["an owner who is nobody", () => encodeTarHeader({ path: "x", uid: 0xffff_ffff }), "a uid that no user can have"],
])("%s is refused with its place", async (_, make, message) => {
  await expect(members(make())).rejects.toMatchObject({
    kind: "invalid-argument",
    message: expect.stringContaining(message),
  });
});

test("no bytes at all are an archive without members, as for tar(1)", async () => {
  expect(await members(new Uint8Array())).toEqual([]);
  expect(await members(new Uint8Array(10_240))).toEqual([]);
});

test("limits are explained", () => {
  const none = { entry() {}, data() {}, finish() {} };
  const limits = { extensionBytes: 1000, entries: 2, contentBytes: 10 };
  const write = (bytes: Uint8Array) => () => new TarParser(none, limits).write(bytes);
  const refused = (what: string) =>
    expect.objectContaining({ kind: "resource-exhausted", message: expect.stringContaining(what) });
  const entry = encodeTarHeader({ path: "x" });
  expect(write(Buffer.concat([entry, entry, entry]))).toThrow(refused("2 members"));
  expect(write(encodeTarHeader({ path: "x", size: 11 }))).toThrow(refused("10 bytes of content"));
  expect(write(encodeTarHeader({ path: `ü${"x".repeat(2000)}` }))).toThrow(
    refused("1000 bytes in one extended header"),
  );
});

test("a body that is not as long as promised is not written", async () => {
  const short: TarMember = { header: { path: "x", size: 3 }, body: Buffer.from("ab") };
  const long: TarMember = { header: { path: "x", size: 3 }, body: inChunks(Buffer.from("abcd"), 2) };
  await expect(archiveOf([short])).rejects.toMatchObject({ kind: "data-loss" });
  await expect(archiveOf([long])).rejects.toMatchObject({ kind: "data-loss" });
});
