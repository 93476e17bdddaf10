import { expect, test } from "bun:test";
import { readTar, writeTar } from "../../snapshots/mod.ts";
import { clampTimes } from "./clamp-times.ts";

test("what is younger is made older, all else stays", async () => {
  const members = [
    { header: { path: "d", type: "directory", mtime: 30n, mode: 0o711 } },
    {
      header: { path: "d/old", size: 3, mtime: 10n, xattrs: new Map([["user.a", Buffer.from("b")]]) },
      body: Buffer.from("old"),
    },
    {
      header: { path: "holes", size: 100_000, mtime: 21n, extents: [{ offset: 512, length: 4 }] },
      body: Buffer.from("data"),
    },
    { header: { path: "l", type: "symlink", linkTarget: "d/old", mtime: 40n } },
  ] as const;
  const seen: unknown[] = [];
  for await (const entry of readTar(clampTimes(writeTar(members), 20n))) {
    const { path, mtime, mode, xattrs, linkTarget } = entry.header;
    const content = Buffer.from(await entry.bytes(1 << 20));
    seen.push([path, mtime, mode, xattrs.size, linkTarget, content.length, content.toString().replaceAll("\0", "")]);
  }
  expect(seen).toEqual([
    ["d", 20n, 0o711, 0, "", 0, ""],
    ["d/old", 10n, 0o644, 1, "", 3, "old"],
    ["holes", 20n, 0o644, 0, "", 100_000, "data"],
    ["l", 20n, 0o644, 0, "d/old", 0, ""],
  ]);
  const bytes = async () => Buffer.concat(await Array.fromAsync(clampTimes(writeTar(members), 50n)));
  expect(await bytes()).toEqual(Buffer.concat(await Array.fromAsync(writeTar(members))));
});
