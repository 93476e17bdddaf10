import { expect, test } from "bun:test";
import type { HostConfig } from "../spec/mod.ts";
import { findRefusals, type RefusalGround } from "./refusals.ts";

const GROUND: RefusalGround = {
  profile: "hardened",
  hostConfig: {
    ReadonlyRootfs: true,
    CapDrop: ["ALL"],
    CapAdd: [],
    Memory: 2 ** 30,
    PidsLimit: 512,
    NetworkMode: "bridge",
  } as unknown as HostConfig,
  mounts: [{ destination: "/data", writable: false }],
  ownUsers: true,
  exitCode: 1,
  oomKilled: false,
};

// As the programs themselves say it.
test.each([
  ["touch: /x/y: Read-only file system", "touch", "/x/y", "--grant write:/x"],
  ["touch: cannot touch '/etc/app/f': Read-only file system", "touch", "/etc/app/f", "--grant write:/etc/app"],
  [
    'nginx: [emerg] open() "/var/lib/nginx/body/x" failed (30: Read-only file system)',
    "nginx",
    "/var/lib/nginx/body/x",
    "--grant write:/var/lib/nginx/body",
  ],
  ["OSError: [Errno 30] Read-only file system: '/app/cache/x'", undefined, "/app/cache/x", "--grant write:/app/cache"],
  ["Error: EROFS: read-only file system, open '/srv/log.txt'", undefined, "/srv/log.txt", "--grant write:/srv"],
  ["open /run2/app.pid: read-only file system", undefined, "/run2/app.pid", "--grant write:/run2"],
  ["sh: can't create /top: Read-only file system", "sh", "/top", "--grant write:/"],
  ["touch: /data/x: Read-only file system", "touch", "/data/x", undefined],
  ["nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)", "nginx", "port 80", "--grant net-bind"],
  ["nc: bind: Permission denied", "nc", "a port below 1024", "--grant net-bind"],
  ["Error: listen EACCES: permission denied 0.0.0.0:443", undefined, "port 443", "--grant net-bind"],
  ["chown: /var/www: Operation not permitted", "chown", "CAP_CHOWN", "--grant cap:chown"],
  [
    'nginx: [emerg] chown("/var/cache", 101) failed (1: Operation not permitted)',
    "nginx",
    "CAP_CHOWN",
    "--grant cap:chown",
  ],
  [
    "nginx: [emerg] setgid(101) failed (1: Operation not permitted)",
    "nginx",
    "CAP_SETUID, CAP_SETGID",
    "--grant cap:setuid --grant cap:setgid",
  ],
  [
    "error: failed switching to user: operation not permitted (gosu)",
    undefined,
    "CAP_SETUID, CAP_SETGID",
    "--grant cap:setuid --grant cap:setgid",
  ],
  ["mount: permission denied (are you root?)", "mount", "CAP_SYS_ADMIN", "--grant cap:sys_admin"],
  ["RTNETLINK answers: Operation not permitted", undefined, "CAP_NET_ADMIN", "--grant cap:net_admin"],
  ["ping: permission denied (are you root?)", "ping", "CAP_NET_RAW", "--grant cap:net_raw"],
  ["cat: can't open '/srv/secret': Permission denied", "cat", "/srv/secret", "--grant cap:dac_override"],
  ["sudo: effective uid is not 0, is sudo installed setuid root?", "sudo", undefined, "--grant new-privileges"],
  ["sh: can't fork: Resource temporarily unavailable", "sh", "512", "--pids-limit NUMBER"],
  ["sh: can't create /proc/sys/kernel/panic: Read-only file system", "sh", "/proc/sys/kernel/panic", undefined],
  ["wget: can't connect to remote host: Network is unreachable", "wget", undefined, undefined],
])("%s", (line, process, target, grant) => {
  const found = findRefusals(GROUND, ["started", line, "bye"]);
  expect(found).toHaveLength(1);
  const [refusal] = found;
  expect([refusal?.target, refusal?.grant]).toEqual([target, grant]);
  expect(refusal?.evidence).toBe(line);
  expect(refusal?.process).toBe(process);
});

test("a line that only speaks of such things is no refusal", () => {
  expect(
    findRefusals(GROUND, [
      "GET / 200",
      "mounted read only",
      "permission granted",
      "bind() to 0.0.0.0:8080 failed (13: Permission denied)",
      "fork me on the web",
    ]),
  ).toEqual([]);
});

test("the same refusal is told once; what has the capability is not told to ask for it", () => {
  const line = "chown: /a: Operation not permitted";
  expect(findRefusals(GROUND, [line, line, line])).toHaveLength(1);
  const able = { ...GROUND, hostConfig: { ...GROUND.hostConfig, CapAdd: ["CAP_CHOWN"] } };
  expect(findRefusals(able, [line])).toEqual([]);
});

test("the end tells too", () => {
  expect(findRefusals({ ...GROUND, oomKilled: true, exitCode: 137 }, [])).toMatchObject([{ target: "1024 MiB" }]);
  expect(findRefusals({ ...GROUND, exitCode: 159 }, [])).toMatchObject([
    { rule: expect.stringContaining("system calls") },
  ]);
  expect(findRefusals({ ...GROUND, exitCode: 0 }, [])).toEqual([]);
});
