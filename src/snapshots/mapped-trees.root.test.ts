import { expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asRootOf, createUserNamespace, unmount } from "../kernel/mod.ts";
import { MappedTrees } from "./mapped-trees.ts";

const run = (outside: number) => [{ inside: 0, outside, size: 1000 }];

// Kernels before 6.15 want the trees mounted somewhere: the longer way is tried on each.
test.each([false, true])(
  "an overlay of mapped trees has their owners, and keeps those on disk (places: %s)",
  (needPlaces) => {
    const folder = mkdtempSync(join(tmpdir(), "havre-mapped-"));
    for (const name of ["low", "high", "writable/upper", "writable/work"])
      mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, "low/a"), "low");
    writeFileSync(join(folder, "high/a"), "high");
    writeFileSync(join(folder, "low/b"), "b");
    const trees = new MappedTrees(join(folder, "mapped"), needPlaces);
    const { user, network } = createUserNamespace({ uids: run(700_000), gids: run(800_000) });
    using _user = user;
    using _network = network;
    const lower = ["high", "low"].map((name) => join(folder, name));
    const place = trees.mount("key", { lower, writable: join(folder, "writable"), base: folder }, user);
    try {
      expect(trees.find("key")).toBe(place);
      expect(readFileSync(join(place, "a"), "utf8")).toBe("high");
      expect(statSync(join(place, "b"))).toMatchObject({ uid: 700_000, gid: 800_000 });
      asRootOf(user.root, () => {
        writeFileSync(join(place, "b"), "changed");
        writeFileSync(join(place, "new"), "");
      });
      rmSync(join(place, "a"));
      expect(statSync(join(folder, "writable/upper/new"))).toMatchObject({ uid: 0, gid: 0 });
      expect(readFileSync(join(folder, "low/b"), "utf8")).toBe("b");
      expect(readdirSync(place)).toEqual(["b", "new"]);
      // Nobody but the container's root passes.
      expect(statSync(join(place, ".."))).toMatchObject({ uid: 0, gid: 800_000, mode: 0o040710 });
      trees.recover();
      expect(existsSync(place)).toBe(true);
      expect(readdirSync(join(place, ".."))).toEqual(["tree"]);
    } finally {
      unmount(place, { detach: true });
    }
    trees.recover();
    expect(trees.find("key")).toBeUndefined();
    rmSync(folder, { recursive: true });
  },
);
