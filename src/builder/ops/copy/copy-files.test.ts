import { expect, test } from "bun:test";
import { readTar } from "../../../snapshots/mod.ts";
import type { CopyOp } from "../../graph/ops.ts";
import type { TarSource } from "../files/tar-source.ts";
import { file, folder, link, sourceOf } from "../files/testing.ts";
import { choose, excludedBy, placeChosen } from "./copy-files.ts";
import { parseMode } from "./mode.ts";
import { Placement } from "./placement.ts";

const NOW = 5_000_000_000n;

function copyOf(destination: string, paths: readonly string[], more: Partial<CopyOp> = {}): CopyOp {
  return {
    kind: "copy",
    sources: paths.map((path) => ({ input: 0, path, unpack: false })),
    destination,
    excludes: [],
    parents: false,
    ownedByRoot: true,
    ...more,
  };
}

/** The members of the layer that a copy makes, as `path mode uid mtime/second`. */
async function copied(op: CopyOp, source: TarSource, lower: TarSource, owner?: { uid: number; gid: number }) {
  const mode = op.mode === undefined ? undefined : parseMode(op.mode);
  const placement = new Placement(lower, { owner, mode, now: NOW });
  const chosen = choose(op, [source]).map((one) => ({ ...one, archives: new Map() }));
  placeChosen(placement, op, chosen, excludedBy(op.excludes));
  const seen: string[] = [];
  async function* bytes() {
    yield* placement.tar();
  }
  for await (const { header } of readTar(bytes())) {
    const target = header.linkTarget === "" ? "" : ` -> ${header.linkTarget}`;
    seen.push(`${header.path} ${header.mode.toString(8)} ${header.uid} ${header.mtime / 1_000_000_000n}${target}`);
  }
  return seen;
}

const source = () =>
  sourceOf(
    folder("dir", { mode: 0o700, mtime: 1_000_000_000n }),
    file("dir/f", "1", { mtime: 1_000_000_000n, uid: 7 }),
    folder("dir/sub", { mode: 0o711, mtime: 1_000_000_000n }),
    file("dir/sub/g", "2", { mode: 0o600, mtime: 1_000_000_000n }),
    file("top", "3", { mtime: 1_000_000_000n }),
    link("to-top", "top"),
  );

test("a folder's content goes into a new folder; what is made on the way is of now", async () => {
  using files = await source();
  using lower = await sourceOf();
  expect(await copied(copyOf("/a/b", ["dir"]), files, lower)).toEqual([
    "a/ 755 0 5",
    "a/b/ 755 0 5",
    "a/b/f 644 0 1",
    "a/b/sub/ 711 0 1",
    "a/b/sub/g 600 0 1",
  ]);
});

test("into a folder that is there it merges: the folder itself keeps its attributes, folders in it get the source's", async () => {
  using files = await source();
  using lower = await sourceOf(folder("there"), folder("there/sub", { mode: 0o777 }), link("way", "there"));
  const merged = ["there/f 644 0 1", "there/sub/ 711 0 1", "there/sub/g 600 0 1"];
  expect(await copied(copyOf("/there", ["dir"]), files, lower)).toEqual(merged);
  expect(await copied(copyOf("/way/", ["dir"]), files, lower)).toEqual(merged);
});

test("a file goes into a folder, or to the name given; links at the source are followed, at the destination too", async () => {
  using files = await source();
  using lower = await sourceOf(folder("d"), link("l", "d"), file("old"), link("old-link", "old"));
  expect(await copied(copyOf("/d", ["top"]), files, lower)).toEqual(["d/top 644 0 1"]);
  expect(await copied(copyOf("/l", ["to-top"]), files, lower)).toEqual(["d/to-top 644 0 1"]);
  expect(await copied(copyOf("/old-link", ["top"]), files, lower)).toEqual(["old 644 0 1"]);
  expect(await copied(copyOf("/new/", ["t*"]), files, lower)).toEqual([
    "new/ 755 0 5",
    "new/to-top 644 0 1",
    "new/top 644 0 1",
  ]);
});

test("owner, mode, kept parents and excluded files", async () => {
  using files = await source();
  using lower = await sourceOf();
  const owner = { uid: 12, gid: 13 };
  expect(await copied(copyOf("/", ["dir"], { mode: "755" }), files, lower, owner)).toEqual([
    "f 755 12 1",
    "sub/ 755 12 1",
    "sub/g 755 12 1",
  ]);
  expect(await copied(copyOf("/x/", ["dir/sub/g"], { parents: true }), files, lower)).toEqual([
    "x/ 755 0 5",
    "x/dir/ 700 0 1",
    "x/dir/sub/ 711 0 1",
    "x/dir/sub/g 600 0 1",
  ]);
  expect(await copied(copyOf("/x/", ["./dir/./sub"], { parents: true, excludes: ["g"] }), files, lower)).toEqual([
    "x/ 755 0 5",
    "x/sub/ 711 0 1",
  ]);
});

test.each([
  [["dir"], "/file", "not a directory"],
  [["top"], "/d/top", "cannot replace to directory /d/top/top with file"],
  [["missing"], "/", 'failed to calculate checksum: "/missing": not found'],
  [["*.none"], "/", "not found"],
])("%p to %s is refused: %s", async (paths, destination, message) => {
  using files = await source();
  using lower = await sourceOf(file("file"), folder("d/top"), folder("d/top/top"));
  await expect(copied(copyOf(destination, paths), files, lower)).rejects.toThrow(message);
});
