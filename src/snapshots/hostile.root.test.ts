import { afterEach, beforeEach, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isHavreError } from "../base/mod.ts";
import { getXattr } from "../kernel/mod.ts";
import { OverlaySnapshotter } from "./overlay-snapshotter.ts";
import type { TarHeaderInit } from "./tar/header.ts";
import { type TarMember, writeTar } from "./tar/writer.ts";
import { unpackIntoTree } from "./tree-access.ts";

let outside: string;
let snapshots: OverlaySnapshotter;
beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), "havre-hostile-"));
  writeFileSync(join(outside, "victim"), "untouched");
  mkdirSync(join(outside, "folder"));
  mkdirSync(join(outside, "tree"));
  snapshots = new OverlaySnapshotter(join(outside, "root"));
});
afterEach(async () => {
  await snapshots.close();
  rmSync(outside, { recursive: true });
});

const file = (path: string, text = "written"): TarMember => ({
  header: { path, size: text.length },
  body: Buffer.from(text),
});
const node = (path: string, type: NonNullable<TarHeaderInit["type"]>, linkTarget = ""): TarMember => ({
  header: { path, type, linkTarget, mode: 0o755, devMajor: 1, devMinor: 3 },
});
const folder = (path: string) => node(path, "directory");
const link = (path: string, target: string) => node(path, "symlink", target);
const hard = (path: string, target: string) => node(path, "hardlink", target);

/** What lies outside the tree: it must be the same before and after. */
const surroundings = () =>
  execFileSync(
    "find",
    [
      outside,
      "-path",
      `${outside}/root`,
      "-prune",
      "-o",
      "-path",
      `${outside}/tree`,
      "-prune",
      "-o",
      "-printf",
      "%p %y %m %U %s %T@ %n\n",
    ],
    { encoding: "utf8" },
  ).replace(/^.* d .*\n/m, "");

const climb = "../".repeat(20);
type Members = (outside: string) => TarMember[];
const REFUSED: [string, Members][] = [
  ["a name that climbs out", () => [file("../victim")]],
  ["a name that climbs out from a folder", () => [folder("a"), file("a/../../victim")]],
  ["an absolute name that climbs", () => [file("/../../../victim")]],
  ["a hard link that climbs out", () => [hard("x", "../victim")]],
  ["a hard link to an absolute path outside", (path) => [hard("x", `${path}/victim`)]],
  ["a hard link through a link outside", (path) => [link("out", path), hard("x", "out/victim")]],
  ["a hard link to the top", () => [hard("x", ".")]],
  ["a device as a folder", () => [node("dev", "char"), file("dev/x")]],
  ["a file as a folder", () => [file("f"), file("f/x")]],
  ["a pipe as a folder", () => [node("p", "fifo"), file("p/x")]],
  ["a link to itself as a folder", () => [link("l", "l"), file("l/x")]],
  ["a link out of the tree as a folder, to a file", (path) => [link("l", `${path}/victim`), file("l/x")]],
  ["a name longer than Linux allows", () => [file("n".repeat(256))]],
  ["a path longer than Linux allows", () => [file(`${"p/".repeat(2100)}x`)]],
  ["the top as a file", () => [file("./")]],
  ["a file larger than files can be", () => [{ header: { path: "f", size: 2 ** 53 - 1, extents: [] } }]],
  ["an empty link", () => [link("l", "")]],
];

test.each(REFUSED)("%s is refused, and nothing is left", async (_, members) => {
  const before = surroundings();
  const failure = await snapshots.apply(undefined, writeTar(members(outside))).catch((error: unknown) => error);
  expect(isHavreError(failure, "invalid-argument")).toBe(true);
  const copy = await unpackIntoTree(join(outside, "tree"), "/", writeTar(members(outside)), {
    noOverwriteDirNonDir: false,
  }).catch((error: unknown) => error);
  expect(isHavreError(copy, "invalid-argument")).toBe(true);
  await snapshots.settled();
  expect(readdirSync(join(outside, "root/snapshots/staging"))).toEqual([]);
  expect(snapshots.layers()).toEqual([]);
  expect(surroundings()).toBe(before);
});

const CONTAINED: [string, Members, string[]][] = [
  [
    "an absolute link, written through",
    (path) => [folder("in"), link("l", "/in"), file("l/x"), link("o", path)],
    ["in", "in/x", "l", "o"],
  ],
  ["a climbing link, written through", () => [link("l", climb), file("l/x")], ["l", "x"]],
  [
    "a link to a folder that is only outside, written through",
    (path) => [link("l", `${path}/folder`), folder(`${path.slice(1)}/folder`), file("l/x")],
    ["l", "…/x"],
  ],
  ["a link to a file, replaced by a file", (path) => [link("l", `${path}/victim`), file("l")], ["l"]],
  [
    "a link to a folder, replaced by a folder",
    (path) => [link("l", `${path}/folder`), folder("l"), file("l/x")],
    ["l", "l/x"],
  ],
  [
    "a folder replaced by a link between its files",
    (path) => [folder("d"), file("d/x"), link("d", `${path}/folder`), link("e", "."), file("e/y")],
    ["d", "e", "y"],
  ],
  ["a hard link to a link", (path) => [link("l", `${path}/victim`), hard("h", "l"), file("h")], ["h", "l"]],
  ["a whiteout of what climbs", () => [folder("a"), file("a/.wh.x", ""), file(".wh.y", "")], ["a", "a/x", "y"]],
  ["the same file many times", () => [file("f"), file("f"), folder("f"), file("f/x"), file("f", "last")], ["f"]],
  ["a hard link to itself", () => [file("f"), hard("f", "f")], ["f"]],
];

test.each(CONTAINED)("%s stays inside", async (_, members, expected) => {
  const before = surroundings();
  const { chainId } = await snapshots.apply(undefined, writeTar(members(outside)));
  const tree = join(outside, "root/snapshots/layers/1/fs");
  await snapshots.withView(chainId, async () => {}); // Trees are there when they are wanted.
  const found = execFileSync("find", [tree, "-mindepth", "1", "-printf", "%P\n"], { encoding: "utf8" })
    .trim()
    .split("\n")
    .sort();
  const inside = outside
    .slice(1)
    .split("/")
    .map((_part, index, parts) => parts.slice(0, index + 1).join("/"));
  const wanted = expected.flatMap((name) =>
    name.startsWith("…") ? [...inside, `${inside.at(-1)}/folder`, `${inside.at(-1)}/folder${name.slice(1)}`] : [name],
  );
  expect(found).toEqual(wanted.sort());
  expect(surroundings()).toBe(before);
});

test.each([".wh.", ".wh..", ".wh..."])("the whiteout %s hides nothing and is refused", async (name) => {
  await expect(snapshots.apply(undefined, writeTar([file(name, "")]))).rejects.toMatchObject({
    kind: "invalid-argument",
  });
});

test("an archive cannot steer the overlay", async () => {
  const xattrs = new Map([
    ["trusted.overlay.redirect", Buffer.from("/etc")],
    ["trusted.overlay.opaque", Buffer.from("y")],
    ["user.kept", Buffer.from("yes")],
  ]);
  const entry: TarMember = { header: { path: "d", type: "directory", xattrs } };
  const { chainId } = await snapshots.apply(undefined, writeTar([entry]));
  await snapshots.withView(chainId, async () => {});
  const made = join(outside, "root/snapshots/layers/1/fs/d");
  expect(getXattr(made, "trusted.overlay.redirect")).toBeUndefined();
  expect(getXattr(made, "trusted.overlay.opaque")).toBeUndefined();
  expect(String(Buffer.from(getXattr(made, "user.kept") ?? []))).toBe("yes");
});

test("mutated hostile archives are unpacked inside or refused, whatever they say", async () => {
  const parts: Uint8Array[] = [];
  const members = [
    folder(outside.slice(1)),
    link("a", outside),
    link("b", "../victim"),
    folder("d"),
    file("d/x", "x"),
    hard("h", "d/x"),
    file("a/victim"),
    node("n", "fifo"),
    file(".wh.d"),
    file("d/.wh..wh..opq"),
    link("d/up", climb),
    file("d/up/y"),
  ];
  for await (const part of writeTar(members)) parts.push(part);
  const seed = new Uint8Array(Buffer.concat(parts));
  const before = surroundings();
  let state = 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let unpacked = 0;
  for (let round = 0; round < 400; round++) {
    const bytes = seed.slice();
    for (let changes = 1 + random(3); changes > 0; changes--) {
      const block = random(bytes.length / 512) * 512;
      // The type, the name or the link: what decides where something lands.
      const at = block + ([156, random(12), 157 + random(12)][random(3)] ?? 0);
      bytes[at] = ["0", "1", "2", "3", "5", "6", "/", ".", "a", "d", "\0"][random(11)]?.charCodeAt(0) ?? 0;
    }
    for (let at = 0; at + 512 <= bytes.length; at += 512) {
      if (Buffer.from(bytes.subarray(at + 257, at + 262)).toString("latin1") !== "ustar") continue;
      bytes.fill(0x20, at + 148, at + 156);
      const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
      Buffer.from(bytes.buffer, at + 148, 8).write(`${sum.toString(8).padStart(6, "0")}\0 `, "latin1");
    }
    const source = async function* () {
      yield bytes;
    };
    const work =
      round % 2 === 0
        ? snapshots.apply(undefined, source())
        : unpackIntoTree(join(outside, "tree"), "/", source(), { noOverwriteDirNonDir: false });
    const failure = await work.then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) unpacked++;
    else expect(isHavreError(failure, "invalid-argument")).toBe(true);
  }
  expect(unpacked).toBeGreaterThan(20);
  expect(surroundings()).toBe(before);
}, 60_000);

test("a deep folder is made and removed; so is one deeper than any path", async () => {
  const members: TarMember[] = [];
  for (let path = "d"; path.length < 600; path += "/d") members.push(folder(path));
  await snapshots.apply(undefined, writeTar(members));
  await snapshots.prepare("deep", undefined);
  const upper = join(outside, "root/snapshots/writable/deep/upper");
  execFileSync("python3", ["-c", "import os\nfor _ in range(1500): os.mkdir('d'); os.chdir('d')"], { cwd: upper });
  await snapshots.remove("deep");
  await snapshots.collect(() => false);
  await snapshots.settled();
  expect(readdirSync(join(outside, "root/snapshots/trash"))).toEqual([]);
}, 30_000);
