import { expect, test } from "bun:test";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expectNoLeaks, leaksSince, naming, takeSnapshot } from "./leaks.ts";

const mark = `leak${process.pid}`;

test("a quiet machine leaks nothing", async () => {
  await expectNoLeaks(takeSnapshot(), { only: naming(mark) });
});

test("a mount is seen until it is gone", async () => {
  const folder = mkdtempSync(join(tmpdir(), `${mark}-`));
  const before = takeSnapshot();
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", folder]);
  await expect(expectNoLeaks(before, { only: naming(folder), within: 0 })).rejects.toThrow(`mount: ${folder} (tmpfs`);
  execFileSync("umount", [folder]);
  await expectNoLeaks(before, { only: naming(folder) });
  rmdirSync(folder);
});

test("a namespace, its mount and an interface are seen", async () => {
  const before = takeSnapshot();
  execFileSync("ip", ["netns", "add", mark]);
  execFileSync("ip", ["-n", mark, "link", "set", "lo", "up"]);
  execFileSync("ip", ["link", "add", mark.slice(0, 13), "type", "bridge"]);
  const kinds = leaksSince(before, naming(mark.slice(0, 13))).map(({ kind }) => kind);
  execFileSync("ip", ["link", "del", mark.slice(0, 13)]);
  execFileSync("ip", ["netns", "del", mark]);
  expect(kinds).toEqual(["mount", "interface"]);
  await expectNoLeaks(before, { only: naming(mark.slice(0, 13)) });
});

test("an nftables table is seen", async () => {
  const before = takeSnapshot();
  execFileSync("nft", ["add", "table", "inet", mark]);
  const kinds = leaksSince(before, naming(mark)).map(({ kind }) => kind);
  execFileSync("nft", ["delete", "table", "inet", mark]);
  expect(kinds).toEqual(["nftables table"]);
  await expectNoLeaks(before, { only: naming(mark) });
});

test("a cgroup, and a process in it and in its own network namespace, are seen", async () => {
  const before = takeSnapshot();
  const cgroup = join(existsSync("/sys/fs/cgroup/pids") ? "/sys/fs/cgroup/pids" : "/sys/fs/cgroup", mark);
  mkdirSync(cgroup);
  const child = spawn("unshare", ["--net", "sh", "-c", `echo $$ > ${cgroup}/cgroup.procs; echo in; read line`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const kinds = leaksSince(before, naming(mark)).map(({ kind }) => kind);
  child.stdin.end("\n");
  await new Promise((resolve) => child.once("exit", resolve));
  rmdirSync(cgroup);
  expect(kinds).toEqual(["process", "network namespace", "cgroup"]);
  await expectNoLeaks(before, { only: naming(mark) });
});

test("a socket in a watched folder is seen", async () => {
  const folder = mkdtempSync(join(tmpdir(), `${mark}-`));
  const before = takeSnapshot({ folders: [folder] });
  const server = createServer().listen(join(folder, "s.sock"));
  await new Promise((resolve) => server.once("listening", resolve));
  const kinds = leaksSince(before, naming(folder)).map(({ kind }) => kind);
  await new Promise((resolve) => server.close(resolve));
  expect(kinds).toEqual(["file"]);
  await expectNoLeaks(before, { only: naming(folder) });
  rmSync(folder, { recursive: true });
});
