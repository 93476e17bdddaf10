import { expect, test } from "bun:test";
import { parseGitAddress } from "./git-file.ts";

test("a repository's address, reference and path", () => {
  for (const [address, ...expected] of [
    ["https://a/b.git", "https://a/b.git", "HEAD", ""],
    ["https://a/b.git#main", "https://a/b.git", "main", ""],
    ["https://a/b.git#main:x/y.yaml", "https://a/b.git", "main", "x/y.yaml"],
    ["https://a/b.git#:x", "https://a/b.git", "HEAD", "x"],
    ["git@a:b/c.git#v1", "git@a:b/c.git", "v1", ""],
    ["github.com/a/b", "https://github.com/a/b", "HEAD", ""],
  ]) {
    const { remote, ref, path } = parseGitAddress(address ?? "");
    expect([remote, ref, path]).toEqual(expected);
  }
});
