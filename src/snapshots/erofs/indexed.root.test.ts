import { afterEach, beforeEach, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Digest } from "../../base/mod.ts";
import { listXattrs, mountInfo } from "../../kernel/mod.ts";
import { OverlaySnapshotter } from "../overlay-snapshotter.ts";
import type { TarHeaderInit } from "../tar/header.ts";
import { type TarMember, writeTar } from "../tar/writer.ts";
import { whyNotIndexed } from "./mount.ts";

let folder: string;
let indexed: OverlaySnapshotter;
let unpacked: OverlaySnapshotter;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "havre-indexed-"));
  indexed = new OverlaySnapshotter(join(folder, "indexed"));
  unpacked = new OverlaySnapshotter(join(folder, "unpacked"), undefined, undefined, "unpacked");
});
afterEach(async () => {
  await Promise.all([indexed.close(), unpacked.close()]);
  rmSync(folder, { recursive: true });
});

/** Where the kernel cannot, layers are unpacked, and these tests would compare that with itself. */
const capable = whyNotIndexed(join(mkdtempSync(join(tmpdir(), "havre-probe-")), "x")) === undefined;

const file = (path: string | Uint8Array, text = "content", more: Partial<TarHeaderInit> = {}): TarMember => ({
  header: { path, size: Buffer.byteLength(text), mtime: 1_700_000_000_123_456_789n, ...more },
  body: Buffer.from(text),
});
const node = (
  path: string,
  type: NonNullable<TarHeaderInit["type"]>,
  more: Partial<TarHeaderInit> = {},
): TarMember => ({
  header: { path, type, mode: 0o755, mtime: 1_600_000_000_000_000_001n, ...more },
});

/** Everything that can be seen of a tree, times of folders nobody described left out. */
async function seen(snapshots: OverlaySnapshotter, chainId: Digest): Promise<string[]> {
  return snapshots.withView(chainId, async (tree) => {
    const format = "%P\\t%y\\t%m\\t%U:%G\\t%s\\t%T@\\t%n\\t%l\\n";
    const lines = execFileSync("find", [tree, "-mindepth", "1", "-printf", format], { encoding: "latin1" })
      .split("\n")
      .slice(0, -1);
    const sums = execFileSync("sh", ["-c", "find . -type f -print0 | sort -z | xargs -0 -r md5sum"], {
      cwd: tree,
      encoding: "latin1",
    });
    const folders = lines.filter((line) => line.split("\t")[1] === "d");
    const attributes = lines.flatMap((line) => {
      const path = line.split("\t")[0] ?? "";
      return listXattrs(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from(path, "latin1")])).map(
        (name) => `${path} ${name}`,
      );
    });
    return [
      ...lines.filter((line) => !folders.includes(line)),
      // Sizes and links of folders are the file system's own.
      ...folders.map((line) => line.split("\t").slice(0, 4).join("\t")),
      sums,
      ...attributes,
    ].sort();
  });
}

const long = "n".repeat(255);
const ARCHIVES: [string, readonly (readonly TarMember[])[]][] = [
  ["nothing at all", [[]]],
  [
    "every kind of file, owners beyond 16 bits, setuid, times with nanoseconds",
    [
      [
        node("d/", "directory", { mode: 0o1777, uid: 70_000, gid: 4_000_000_000 }),
        file("d/f", "x".repeat(100_000), { mode: 0o4755, uid: 65_537 }),
        file("d/empty", ""),
        node("d/link", "symlink", { linkTarget: "../somewhere/else" }),
        node("d/long-link", "symlink", { linkTarget: `/${"l".repeat(1500)}` }),
        node("d/hard", "hardlink", { linkTarget: "d/f" }),
        node("null", "char", { devMajor: 1, devMinor: 3, mode: 0o666 }),
        node("disk", "block", { devMajor: 259, devMinor: 70_000 }),
        node("pipe", "fifo"),
        file("old", "before 1970", { mtime: -1_500_000_000n }),
      ],
    ],
  ],
  [
    "names of bytes, long ones, ones that sort oddly",
    [
      [
        file(Buffer.from([0x66, 0xff, 0xfe]), "b"),
        file(long, "l"),
        ...["!", "-", ".a", "..a", "A", "a", "~", "ä"].map((name) => file(name, name)),
      ],
    ],
  ],
  [
    "a folder with more files than fit in a few blocks",
    [Array.from({ length: 1200 }, (_, at) => file(`many/file-${at}`, `${at}`))],
  ],
  [
    "attributes of files and folders",
    [
      [
        node("d", "directory", {
          xattrs: new Map([
            ["user.a", Buffer.from("1")],
            ["trusted.t", Buffer.from("2")],
          ]),
        }),
        file("d/f", "x", {
          xattrs: new Map([
            ["security.capability", Buffer.from("0100000200000000000000000000000000000000", "hex")],
            ["user.empty", Buffer.alloc(0)],
          ]),
        }),
      ],
    ],
  ],
  [
    "what is written twice",
    [
      [
        file("f", "one"),
        file("f", "two!"),
        node("g", "directory"),
        file("g", "file now"),
        file("h"),
        node("h", "directory"),
        file("h/x"),
      ],
    ],
  ],
  [
    "whiteouts, opaque folders, folders passed through",
    [
      [
        node("a", "directory", { mode: 0o700, uid: 5 }),
        file("a/kept"),
        file("a/gone"),
        node("b", "directory"),
        file("b/gone"),
        node("c/d", "directory", { mode: 0o711 }),
        file("c/d/low"),
      ],
      [file("a/.wh.gone", ""), file("b/.wh..wh..opq", ""), file("b/new"), file("c/d/high"), file("a/deep/er/file")],
      [file(".wh.b", ""), node("a/kept", "directory"), file("a/kept/inside")],
    ],
  ],
  ["an opaque top", [[file("gone")], [file(".wh..wh..opq", ""), file("new")]]],
  [
    "links as folders, which need unpacking",
    [[node("real", "directory"), node("alias", "symlink", { linkTarget: "real" }), file("alias/f")]],
  ],
  [
    "a hard link into the layer below, which needs unpacking",
    [[file("low", "text")], [node("high", "hardlink", { linkTarget: "low" })]],
  ],
  [
    "a sparse file, which needs unpacking",
    [[{ header: { path: "s", size: 1 << 20, extents: [{ offset: 4096, length: 3 }] }, body: Buffer.from("abc") }]],
  ],
];

test.each(ARCHIVES)("indexed is as unpacked: %s", async (_, layers) => {
  expect(capable).toBe(true);
  let [below, chain]: [Digest | undefined, Digest | undefined] = [undefined, undefined];
  for (const members of layers) {
    below = (await unpacked.apply(below, writeTar(members))).chainId;
    chain = (await indexed.apply(chain, writeTar(members))).chainId;
    expect(chain).toBe(below);
    expect(indexed.layerUsage(chain).content).toBe(unpacked.layerUsage(below).content);
  }
  if (below && chain) expect(await seen(indexed, chain)).toEqual(await seen(unpacked, below));
});

test("a tar in a file is linked to, not copied; containers on it outlive it and the mount", async () => {
  const path = join(folder, "layer.tar");
  const parts: Uint8Array[] = [];
  for await (const part of writeTar([file("f", "text")])) parts.push(part);
  writeFileSync(path, Buffer.concat(parts));
  const { chainId } = await indexed.apply(undefined, { file: path });
  const [number = ""] = readdirSync(join(folder, "indexed/snapshots/layers"));
  expect(statSync(join(folder, "indexed/snapshots/layers", number, "layer.tar")).ino).toBe(statSync(path).ino);
  await indexed.prepare("c", chainId);
  const tree = await indexed.mount("c");
  indexed.hide();
  expect(mountInfo().filter(({ type, mountPoint }) => type === "erofs" && mountPoint.startsWith(folder))).toEqual([]);
  expect(execFileSync("cat", [join(tree, "f")], { encoding: "utf8" })).toBe("text");
  await indexed.unmount("c");
  await indexed.mount("c");
  await indexed.remove("c");
  await indexed.collect(() => false);
  await indexed.settled();
  expect(readdirSync(join(folder, "indexed/snapshots/layers"))).toEqual([]);
});

test("the next daemon finds trees that a killed one left mounted, and takes them away with their layer", async () => {
  const { chainId } = await indexed.apply(undefined, writeTar([file("f")]));
  await indexed.withView(chainId, async () => {});
  const next = new OverlaySnapshotter(join(folder, "indexed"));
  await next.recover();
  await next.withView(chainId, async (tree) => expect(readdirSync(tree)).toEqual(["f"]));
  await next.collect(() => false);
  await next.close();
  expect(mountInfo().filter(({ mountPoint }) => mountPoint.startsWith(folder))).toEqual([]);
});

test("a tar that breaks off, or is not what was promised, leaves nothing", async () => {
  const parts: Uint8Array[] = [];
  for await (const part of writeTar([file("f", "x".repeat(5000))])) parts.push(part);
  const whole = Buffer.concat(parts);
  const cut = async function* () {
    yield whole.subarray(0, 2000);
  };
  await expect(indexed.apply(undefined, cut())).rejects.toMatchObject({ kind: "invalid-argument" });
  const other = `sha256:${"0".repeat(64)}` as const;
  await expect(indexed.apply(undefined, writeTar([file("f")]), other)).rejects.toMatchObject({ kind: "data-loss" });
  await indexed.settled();
  expect(indexed.layers()).toEqual([]);
  expect(readdirSync(join(folder, "indexed/snapshots/staging"))).toEqual([]);
});

test("files of all layers and of the container's own are on one device, as on one disk", async () => {
  const first = await indexed.apply(undefined, writeTar([file("low"), node("d", "directory"), file("d/f")]));
  const { chainId } = await indexed.apply(first.chainId, writeTar([file("high"), file("d/g")]));
  await indexed.prepare("c", chainId);
  const tree = await indexed.mount("c");
  writeFileSync(join(tree, "own"), "new");
  const devices = ["", "low", "high", "own", "d", "d/f", "d/g"].map((path) => statSync(join(tree, path)).dev);
  expect(new Set(devices).size).toBe(1);
  const inodes = ["low", "high", "own", "d/f", "d/g"].map((path) => statSync(join(tree, path), { bigint: true }).ino);
  expect(new Set(inodes).size).toBe(inodes.length);
  await indexed.remove("c");
});
