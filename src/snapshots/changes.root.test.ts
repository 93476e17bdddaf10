import { afterEach, beforeEach, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Digest } from "../base/mod.ts";
import { getXattr, mountInfo, setXattr, unmount } from "../kernel/mod.ts";
import { OverlaySnapshotter } from "./overlay-snapshotter.ts";
import { readTar } from "./tar/reader.ts";
import { type TarMember, writeTar } from "./tar/writer.ts";

let root: string;
let snapshots: OverlaySnapshotter;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "havre-changes-"));
  snapshots = new OverlaySnapshotter(root);
});
afterEach(async () => {
  await snapshots.close();
  for (const { mountPoint } of mountInfo().reverse()) {
    if (mountPoint.startsWith(root)) unmount(mountPoint, { detach: true });
  }
  rmSync(root, { recursive: true });
});

const file = (path: string, text = path): TarMember => ({
  header: { path, size: text.length },
  body: Buffer.from(text),
});
const folder = (path: string, mode = 0o755): TarMember => ({ header: { path, type: "directory", mode } });

async function base(): Promise<Digest> {
  const first = await snapshots.apply(
    undefined,
    writeTar([
      folder("dir"),
      file("dir/kept"),
      file("dir/gone"),
      folder("dir/sub"),
      file("dir/sub/x"),
      file("top"),
      folder("old"),
      file("old/a"),
      file("old/b"),
      file("was-file"),
    ]),
  );
  return (await snapshots.apply(first.chainId, writeTar([folder("dir"), file("dir/second"), file(".wh.top", "")])))
    .chainId;
}

async function changesAfter(script: string): Promise<string[]> {
  await snapshots.prepare("one", await base());
  const tree = await snapshots.mount("one");
  execFileSync("bash", ["-ec", script], { cwd: tree });
  const seen: string[] = [];
  for await (const { path, kind } of snapshots.changes("one")) seen.push(`${kind} ${path}`);
  return seen;
}

test.each<[string, string, string[]]>([
  ["nothing", "true", []],
  ["a new file names its folder too", "echo > dir/new", ["modified /dir", "added /dir/new"]],
  ["a file at the top", "echo > new", ["added /new"]],
  ["a new folder and all in it", "mkdir -p n/m; echo > n/m/f", ["added /n", "added /n/m", "added /n/m/f"]],
  ["a removed file", "rm dir/gone dir/second", ["modified /dir", "deleted /dir/gone", "deleted /dir/second"]],
  ["a removed folder is named once", "rm -r dir", ["deleted /dir"]],
  ["changed content", "echo x >> dir/sub/x", ["modified /dir", "modified /dir/sub", "modified /dir/sub/x"]],
  ["a changed mode", "chmod 700 dir/sub", ["modified /dir", "modified /dir/sub"]],
  ["what was only copied up", "touch -r dir/kept ref; echo > dir/t; rm dir/t ref; touch -h -r dir/kept dir/kept", []],
  [
    "a folder replaced by a new one of its name",
    "rm -r old; mkdir old; echo > old/a; echo > old/c",
    ["modified /old", "modified /old/a", "deleted /old/b", "added /old/c"],
  ],
  [
    "a file that became a folder",
    "rm was-file; mkdir was-file; echo > was-file/x",
    ["modified /was-file", "added /was-file/x"],
  ],
  ["a folder that became a file", "rm -r old; echo > old", ["modified /old"]],
  ["what a lower layer hid is new", "echo > top", ["added /top"]],
  [
    "order is that of the paths",
    "mkdir a; echo > a/z; echo > a-b; echo > a.c",
    ["added /a", "added /a-b", "added /a.c", "added /a/z"],
  ],
  [
    "the runtime's mount points are no change",
    "echo > etc/hosts; truncate -s 0 etc/hosts; chmod 755 etc/hosts",
    ["modified /etc", "modified /etc/hosts"],
  ],
])("%s", async (_, script, expected) => {
  expect(await changesAfter(script)).toEqual(expected);
});

test("names that are not UTF-8 are told in bytes", async () => {
  await snapshots.prepare("one", undefined);
  const name = Buffer.from([0x2f, 0xff, 0x61]);
  writeFileSync(Buffer.concat([Buffer.from(await snapshots.mount("one")), name]), "");
  for await (const change of snapshots.changes("one")) expect(Buffer.from(change.rawPath ?? [])).toEqual(name);
});

const NASTY = `
  umask 0
  mkdir -m 1777 tmp2; mkdir -m 2755 setgid
  echo data > plain; ln plain hard; ln plain dir/hard2
  cp /bin/true suid; chown 70000:3000000000 suid; chmod 6755 suid
  ln -s /etc/passwd abs; ln -s ../../.. up; ln -s "$(printf 'x%.0s' {1..300})" long-link
  mknod char c 5 1; mknod block b 8 300; mkfifo -m 622 fifo
  truncate -s 10M sparse; printf middle | dd of=sparse bs=1 seek=5000000 conv=notrunc status=none
  truncate -s 3M hole-only
  touch -d '2001-02-03 04:05:06.123456789' times; touch -h -d '1965-01-01 00:00:00.5 UTC' abs
  d="deep/$(printf 'd%.0s' {1..200})/$(printf 'e%.0s' {1..200})"; mkdir -p "$d"; echo x > "$d/$(printf 'f%.0s' {1..255})"
  printf x > "$(printf 'latin-\\xe9\\xff')"; printf x > 'ümläut'; printf x > "new
line"; printf x > ' space '
  rm dir/gone; rm -r old; mkdir old; echo n > old/new; rm -r dir/sub
  touch -d '2010-01-01 00:00:00.000000001' dir deep
`;

/** Every fact of a tree that matters, one line per file. */
function facts(tree: string): string {
  const script = `find . -mindepth 1 -printf '%P|%y|%m|%U|%G|%s|%T@|%l|%n\\n' | LC_ALL=C sort; find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum; find . \\( -type c -o -type b \\) -exec stat -c '%n %t %T' {} +; find . -links +1 -type f -printf '%i %P\\n' | sort | awk '{n[$1]=n[$1]" "$2} END {for (i in n) print n[i]}' | sort`;
  return execFileSync("bash", ["-ec", script], { cwd: tree, encoding: "latin1", maxBuffer: 1 << 26 });
}

async function collected(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

async function* chunked(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 10_007) yield bytes.subarray(at, at + 10_007);
}

test("a nasty tree survives diff and apply bit for bit", async () => {
  const parent = await base();
  await snapshots.prepare("one", parent);
  const tree = await snapshots.mount("one");
  execFileSync("bash", ["-ec", NASTY], { cwd: tree });
  const capability = Uint8Array.from([1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  setXattr(join(tree, "plain"), "security.capability", capability);
  setXattr(join(tree, "tmp2"), "user.empty", new Uint8Array());
  setXattr(join(tree, "abs"), "trusted.link", Buffer.from("on a link"));
  utimesSync(join(tree, "plain"), 1e9, 1e9);
  const tar = await collected(snapshots.diff("one"));
  expect(Buffer.compare(await collected(snapshots.diff("one")), tar)).toBe(0);
  const made = await snapshots.apply(parent, chunked(tar));
  await snapshots.prepare("two", made.chainId);
  const copy = await snapshots.mount("two");
  expect(facts(copy)).toBe(facts(tree));
  expect(Buffer.from(getXattr(join(copy, "plain"), "security.capability") ?? [])).toEqual(Buffer.from(capability));
  expect(getXattr(join(copy, "tmp2"), "user.empty")?.length).toBe(0);
  expect(String(Buffer.from(getXattr(join(copy, "abs"), "trusted.link") ?? []))).toBe("on a link");
  expect(Number(execFileSync("stat", ["-c", "%b", join(copy, "sparse")]))).toBeLessThan(100);
  for await (const change of snapshots.changes("two")) throw new Error(`left over: ${change.path}`);

  // The layer's own tree, packed as if it were a container's: the same bytes again.
  const again = new OverlaySnapshotter(root);
  const number = readdirSync(join(root, "snapshots/layers")).sort((a, b) => Number(b) - Number(a))[0] ?? "";
  await again.prepare("three", parent);
  rmSync(join(root, "snapshots/writable/three/upper"), { recursive: true });
  execFileSync("cp", [
    "-a",
    join(root, "snapshots/layers", number, "fs"),
    join(root, "snapshots/writable/three/upper"),
  ]);
  expect(Buffer.compare(await collected(again.diff("three")), tar)).toBe(0);
});

test("whiteouts are told in OCI's words, and only where there is something to hide", async () => {
  await snapshots.prepare("one", await base());
  const tree = await snapshots.mount("one");
  execFileSync("bash", ["-ec", "rm dir/gone; rm -r old; mkdir old new; echo > new/f"], { cwd: tree });
  const names: string[] = [];
  for await (const { header } of readTar(snapshots.diff("one"))) names.push(header.path);
  expect(names).toEqual(["dir/", "dir/.wh.gone", "new/", "new/f", "old/", "old/.wh..wh..opq"]);
});

test("a name that means a removed file in layers is refused with its path", async () => {
  await snapshots.prepare("one", undefined);
  execFileSync("bash", ["-ec", "mkdir d; echo > d/.wh.x"], { cwd: await snapshots.mount("one") });
  // Not `expect().rejects`: it waits inside the event loop, which then passes no messages of a worker on.
  const failure = await collected(snapshots.diff("one")).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    kind: "failed-precondition",
    message: expect.stringContaining("/d/.wh.x"),
  });
});

test("the tree another tar packs is the tree that is unpacked", async () => {
  const source = mkdtempSync(join(tmpdir(), "havre-nasty-"));
  try {
    execFileSync("bash", ["-ec", `mkdir dir old dir/sub; echo > dir/gone; ${NASTY}`], { cwd: source });
    for (const format of ["posix", "gnu"]) {
      const tar = execFileSync(
        "tar",
        [`--format=${format}`, "--sparse", "--xattrs", "--numeric-owner", "-cf", "-", "-C", source, "."],
        { maxBuffer: 1 << 28 },
      );
      const { chainId } = await snapshots.apply(undefined, chunked(tar));
      await snapshots.withView(chainId, async (view) => {
        const whole = (text: string) => text.replace(/(\|-?\d+)\.\d+\|/g, "$1|");
        expect(format === "gnu" ? whole(facts(view)) : facts(view)).toBe(
          format === "gnu" ? whole(facts(source)) : facts(source),
        );
      });
    }
    expect(readFileSync(join(source, "plain"), "utf8")).toBe("data\n");
  } finally {
    rmSync(source, { recursive: true });
  }
});
