import { afterEach, beforeEach, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTar } from "./tar/reader.ts";
import { type TarMember, writeTar } from "./tar/writer.ts";
import { packTree, packWholeTree, statInTree, unpackIntoTree } from "./tree-access.ts";

let outside: string;
let root: string;
beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), "havre-tree-"));
  root = join(outside, "root");
  sh(`mkdir -p root/t/dir/sub root/t/real root/etc; cd root; echo root > etc/passwd; echo secret > ../secret
    cd t; echo hi > dir/f; ln dir/f dir/h; ln -s dir l; ln -s /nowhere/x broken; ln -s l/sub l2; ln -s loop loop
    ln -s ../../../../../../../etc up; mkfifo dir/p; echo 1 > real/a; ln -s /etc/passwd abs; ln -s /proc/self/root magic`);
});
afterEach(() => rmSync(outside, { recursive: true }));

function sh(script: string): string {
  return execFileSync("bash", ["-ec", script], { cwd: outside, encoding: "utf8" });
}

async function names(stream: AsyncIterable<Uint8Array>): Promise<string[]> {
  const list: string[] = [];
  for await (const { header } of readTar(stream)) {
    list.push(header.linkTarget === "" ? header.path : `${header.path} -> ${header.linkTarget}`);
  }
  return list;
}

// What dockerd 26.1 answers for the same tree.
test.each<[string, string, string, string[]]>([
  ["/t/dir", "dir", "", ["dir/", "dir/f", "dir/h -> dir/f", "dir/p", "dir/sub/"]],
  ["t/dir/", "dir", "", ["dir/", "dir/f", "dir/h -> dir/f", "dir/p", "dir/sub/"]],
  ["/t/dir/.", ".", "", ["./", "./f", "./h -> ./f", "./p", "./sub/"]],
  ["/t/dir/./", ".", "", ["./", "./f", "./h -> ./f", "./p", "./sub/"]],
  ["/t/dir/f", "f", "", ["f"]],
  ["/t/l", "l", "/t/dir", ["l -> dir"]],
  ["/t/l/", "l", "", ["l/", "l/f", "l/h -> l/f", "l/p", "l/sub/"]],
  ["/t/l/.", ".", "", ["./", "./f", "./h -> ./f", "./p", "./sub/"]],
  ["/t/l/f", "f", "", ["f"]],
  ["/t/broken", "broken", "/nowhere/x", ["broken -> /nowhere/x"]],
  ["/t/l2", "l2", "/t/dir/sub", ["l2 -> l/sub"]],
  ["/t/up", "up", "/etc", ["up -> ../../../../../../../etc"]],
  ["/t/up/", "up", "", ["up/", "up/passwd"]],
  ["/t/dir/../real", "real", "", ["real/", "real/a"]],
  ["../../t/real", "real", "", ["real/", "real/a"]],
])("%s is packed and described as Docker does", async (path, name, linkTarget, expected) => {
  expect(statInTree(root, path)).toMatchObject({ name, linkTarget });
  expect(await names(packTree(root, path))).toEqual(expected);
});

test("the whole tree: for copying with a slash ahead, for export without", async () => {
  expect(statInTree(root, "/").name).toBe("/");
  expect((await names(packTree(root, "/"))).slice(0, 3)).toEqual(["/", "/etc/", "/etc/passwd"]);
  expect((await names(packWholeTree(root))).slice(0, 3)).toEqual(["etc/", "etc/passwd", "t/"]);
});

test("sizes, modes and times of a stat", () => {
  sh("chmod 4711 root/t/real/a; touch -d '2020-01-02 03:04:05.678 UTC' root/t/real/a");
  expect(statInTree(root, "/t/real/a")).toMatchObject({
    size: 2,
    mode: 0o104711,
    mtime: Date.UTC(2020, 0, 2, 3, 4, 5, 678),
  });
});

test.each<[string, string, string]>([
  ["/t/none", "not-found", "lstat /t/none: no such file or directory"],
  ["/t/dir/f/", "internal", "lstat /t/dir/f/: not a directory"],
  ["/t/dir/f/.", "internal", "lstat /t/dir/f/.: not a directory"],
  ["/t/loop", "internal", "evalSymlinksInScope: too many links in /t/loop"],
])("%s is refused in Docker's words", (path, kind, message) => {
  expect(() => statInTree(root, path)).toThrow(expect.objectContaining({ kind, message }));
});

test("links of the tree end inside it, magic ones nowhere", async () => {
  expect(statInTree(root, "/t/abs").linkTarget).toBe("/etc/passwd");
  sh("mkdir root/proc; mount --bind /proc root/proc");
  try {
    expect(() => statInTree(root, "/t/magic/")).toThrow("too many links");
  } finally {
    sh("umount root/proc");
  }
});

const file = (path: string, text = path): TarMember => ({
  header: { path, size: text.length },
  body: Buffer.from(text),
});
const folder = (path: string): TarMember => ({ header: { path, type: "directory", mode: 0o750, uid: 7, gid: 8 } });
const link = (path: string, linkTarget: string): TarMember => ({ header: { path, type: "symlink", linkTarget } });
const PLAIN = { noOverwriteDirNonDir: false };
const unpack = (path: string, members: TarMember[], options = PLAIN) =>
  unpackIntoTree(root, path, writeTar(members), options);

test("unpacks over what is there, following a link to the folder and keeping what is not named", async () => {
  await unpack("/t/l", [folder("."), file("f", "new"), folder("sub"), file("sub/x"), file("p", "was a pipe")]);
  expect(sh("cd root/t/dir; cat f sub/x p; stat -c '%a %u' . sub; cat h")).toBe("newsub/xwas a pipe755 0\n750 7\nhi\n");
});

test("an owner given by the caller is everybody's", async () => {
  await unpackIntoTree(root, "/t/real", writeTar([folder("d"), file("d/f"), link("d/l", "f")]), {
    ...PLAIN,
    owner: { uid: 5, gid: 6 },
  });
  expect(sh("cd root/t/real; stat -c '%u:%g' d d/f d/l")).toBe("5:6\n5:6\n5:6\n");
});

test("a folder and a file replace each other only where that is allowed", async () => {
  const strict = { noOverwriteDirNonDir: true };
  await expect(unpack("/t", [file("dir", "x")], strict)).rejects.toMatchObject({
    kind: "invalid-argument",
    message: 'cannot overwrite directory "/t/dir" with non-directory "/t"',
  });
  await expect(unpack("/t/real", [folder("a")], strict)).rejects.toThrow(
    'cannot overwrite non-directory "/t/real/a" with directory "/t/real"',
  );
  await unpack("/t", [file("dir", "x")]);
  expect(readFileSync(join(root, "t/dir"), "utf8")).toBe("x");
});

test("the place to unpack must be a folder that is there", async () => {
  await expect(unpack("/t/none", [])).rejects.toMatchObject({ kind: "not-found" });
  await expect(unpack("/t/dir/f", [])).rejects.toMatchObject({
    kind: "invalid-argument",
    message: "extraction point is not a directory",
  });
});

test("links in the archive and in the tree lead nowhere outside", async () => {
  await unpack("/t/real", [
    link("out", "/"),
    file("out/made"),
    link("up", "../../../../.."),
    file("up/made2"),
    file("abs/x"),
  ]);
  await unpack("/", [file("t/abs", "replaced")]);
  expect(sh("ls; cat secret root/etc/passwd; ls root")).toBe("root\nsecret\nsecret\nroot\netc\nmade\nmade2\nt\n");
});

test("a process that swaps a folder for a link all the while gets nothing outside written or read", async () => {
  sh("mkdir -p root/swap/a target; echo keep > target/f");
  const swapper = Bun.spawn(
    [
      "bash",
      "-c",
      "cd root/swap; while :; do mv a b; ln -s ../../../../../../../../../../$PWD/../../target a; rm a; mv b a; done",
    ],
    { cwd: outside, stderr: "ignore" },
  );
  try {
    for (let round = 0; round < 200; round++) {
      await unpack("/swap", [file("a/f", "written")]).catch(() => {});
      await names(packTree(root, "/swap")).catch(() => {});
    }
  } finally {
    swapper.kill("SIGKILL");
    await swapper.exited;
  }
  expect(sh("cat target/f; ls target")).toBe("keep\nf\n");
});
