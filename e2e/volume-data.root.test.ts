import { afterEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { getXattr, listXattrs, setXattr } from "../src/kernel/mod.ts";
import { TestDaemon, until, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const ok = engine.ok.bind(engine);
const inVolume = (volume: string, script: string): Promise<string> =>
  ok(["run", "--rm", "--net", "none", "-v", `${volume}:/d`, "bb", "sh", "-c", `cd /d; ${script}`]);

/** `havre volume …`, must succeed. */
async function volume(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await engine.havre(["volume", ...args], { timeout: 60_000 });
  if (code !== 0) throw new Error(`havre volume ${args.join(" ")} exited with ${code}: ${stderr}`);
  return stdout.trim();
}
const refused = async (...args: string[]): Promise<string> => {
  const { code, stderr } = await engine.havre(["volume", ...args], { timeout: 60_000 });
  expect(code).toBe(1);
  return stderr;
};

afterEach(async () => {
  await engine.removeContainers();
  const names = await ok(["volume", "ls", "-q", "--filter", "name=^e2e-"]);
  if (names !== "") await ok(["volume", "rm", ...names.split("\n")]);
}, 60_000);

let folders = 0;
function folder(): string {
  const path = join(engine.folder, `backups-${folders++}`);
  mkdirSync(path);
  return path;
}

const place = (name: string): string => join(engine.own.root, "volumes", name, "_data");

/** Everything stat, extended attributes and the content say of a tree. */
function portrait(path: string): string {
  const script =
    "find . -printf '%p|%y|%m|%U:%G|%s|%n|%T@|%l\\n' | LC_ALL=C sort; find . -type f -exec sha256sum {} + | LC_ALL=C sort; du -s .";
  const { stdout, status } = spawnSync("sh", ["-c", script], { cwd: path, encoding: "latin1" });
  expect(status).toBe(0);
  const marks = readdirSync(path, { recursive: true, encoding: "buffer" }).map((name) => {
    const place = Buffer.concat([Buffer.from(`${path}/`), name]);
    return [name.toString("latin1"), ...listXattrs(place).map((key) => [key, String(getXattr(place, key))])];
  });
  return `${stdout}${JSON.stringify(marks.sort())}`;
}

/** A volume with a bit of everything a file system has. */
async function everything(name: string): Promise<void> {
  await inVolume(
    name,
    "head -c 3000000 /dev/urandom > big; mkdir -p a/b; echo 1 > a/b/f; ln a/b/f hard; ln -s /nowhere link; mkfifo pipe; mknod null c 1 3; mknod disk b 7 0; chmod 4711 a/b/f; chown -h 33:44 link a; touch \"$(printf 'n\\377me')\"; dd if=/dev/zero of=sparse bs=1 count=1 seek=50000000 2>/dev/null; chmod 2770 .; chown 5:6 .",
  );
  const file = join(place(name), "big");
  setXattr(file, "user.mark", Buffer.from("kept"));
  expect(spawnSync("touch", ["-d", "2001-02-03 04:05:06.123456789", file]).status).toBe(0);
}

describe("backup and restore", () => {
  test("keep everything, through a file and through a folder", async () => {
    await everything("e2e-v");
    const before = portrait(place("e2e-v"));
    expect(before).toContain("user.mark");
    const [dir, file] = [folder(), join(folder(), "one.tar.zst")];
    await volume("backup", "e2e-v", dir);
    await volume("backup", "e2e-v", file);
    await volume("restore", dir, "e2e-d");
    await volume("restore", file, "e2e-f");
    expect(portrait(place("e2e-d"))).toBe(before);
    expect(portrait(place("e2e-f"))).toBe(before);
    expect(await volume("verify", dir)).toContain(": whole");
    const listed = spawnSync("sh", ["-c", `zstd -dc ${file} | tar -t`], { encoding: "utf8" });
    expect(listed.stdout).toContain("./a/b/f\n");
  }, 60_000);

  test("a second backup stores only what is new, and the older one is still there", async () => {
    const dir = folder();
    await inVolume("e2e-v", "head -c 8000000 /dev/urandom > big; echo one > f");
    const first = await volume("backup", "e2e-v", dir);
    await inVolume("e2e-v", "echo two > f");
    await volume("backup", "e2e-v", dir);
    const [one, two] = JSON.parse(await volume("backups", "--json", dir)) as { stored: number }[];
    expect(one?.stored).toBeGreaterThan(8_000_000);
    expect(two?.stored).toBeLessThan(5_000_000);
    await volume("restore", "--backup", first, dir, "e2e-old");
    await volume("restore", "--force", dir, "e2e-v");
    expect(await inVolume("e2e-old", "cat f")).toBe("one");
    expect(await inVolume("e2e-v", "cat f")).toBe("two");
  }, 30_000);

  test("a passphrase or a secret key opens what was locked, nothing else does", async () => {
    await inVolume("e2e-v", "echo secret > f");
    const identity = await generateX25519Identity();
    const [key, other] = [
      engine.file("key", `# mine\n${identity}\n`),
      engine.file("other", await generateX25519Identity()),
    ];
    const [dir, file] = [folder(), join(folder(), "locked")];
    const recipient = await identityToRecipient(identity);
    for (const target of [dir, file]) {
      await volume("backup", "-r", recipient, "e2e-v", target);
      expect(await refused("restore", target, "e2e-w")).toContain("The backup is encrypted");
      expect(await refused("restore", "-i", other, target, "e2e-w")).toContain("does not open this backup");
      await volume("restore", "-f", "-i", key, target, "e2e-x");
      expect(await inVolume("e2e-x", "cat f")).toBe("secret");
    }
    expect(readFileSync(file).subarray(0, 21).toString()).toBe("age-encryption.org/v1");
    expect(await ok(["volume", "ls", "-q", "--filter", "name=^e2e-w$"])).toBe("");
  }, 30_000);

  test("a volume that is not empty, or in use, is only replaced when that is asked for and safe", async () => {
    const file = join(folder(), "one");
    await inVolume("e2e-v", "echo backed > f");
    await volume("backup", "e2e-v", file);
    expect(await refused("backup", "e2e-v", file)).toContain("exists already");
    await inVolume("e2e-v", "echo newer > f");
    expect(await refused("restore", file, "e2e-v")).toContain("Volume e2e-v is not empty");
    await ok(["run", "-d", "--name", "e2e-a", "--net", "none", "-v", "e2e-v:/d", "bb", "sleep", "1000"]);
    expect(await refused("restore", "-f", file, "e2e-v")).toContain("mounted in a container that runs");
    await ok(["rm", "-f", "e2e-a"]);
    expect(await inVolume("e2e-v", "cat f")).toBe("newer");
    await volume("restore", "-f", file);
    expect(await inVolume("e2e-v", "cat f")).toBe("backed");
  }, 30_000);

  test("a damaged backup changes nothing", async () => {
    const [dir, file] = [folder(), join(folder(), "one")];
    await inVolume("e2e-v", "head -c 100000 /dev/urandom > f");
    for (const target of [dir, file]) await volume("backup", "e2e-v", target);
    await inVolume("e2e-v", "echo kept > f");
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, -1));
    expect(await refused("restore", "-f", file, "e2e-v")).toContain("cut short or damaged");
    const chunk =
      readdirSync(join(dir, "chunks"), { recursive: true })
        .map(String)
        .find((name) => name.length > 60) ?? "";
    writeFileSync(join(dir, "chunks", chunk), "x");
    expect(await refused("restore", "-f", dir, "e2e-v")).toContain("is damaged");
    expect((await engine.havre(["volume", "verify", dir])).stdout).toContain("is damaged");
    expect(await inVolume("e2e-v", "cat f")).toBe("kept");
    expect(readdirSync(join(engine.own.root, "volumes/.staged"))).toEqual([]);
  }, 30_000);

  test("a full disk is said, and leaves no half of a backup", async () => {
    await inVolume("e2e-v", "head -c 3000000 /dev/urandom > f");
    const full = folder();
    expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", full]).status).toBe(0);
    try {
      expect(await refused("backup", "e2e-v", join(full, "file"))).toContain("ENOSPC");
      expect(readdirSync(full)).toEqual([]);
      mkdirSync(join(full, "dir"));
      expect(await refused("backup", "e2e-v", join(full, "dir"))).toContain("ENOSPC");
      expect(readdirSync(join(full, "dir/backups"))).toEqual([]);
    } finally {
      // Nothing of a backup that has failed is at work any more.
      expect(spawnSync("umount", [full], { encoding: "utf8" }).stderr).toBe("");
    }
  }, 30_000);

  test("with --pause its containers stand still meanwhile, and go on", async () => {
    await ok([
      "run",
      "-d",
      "--name",
      "e2e-a",
      "--net",
      "none",
      "-v",
      "e2e-v:/d",
      "bb",
      "sh",
      "-c",
      "i=0; while :; do i=$((i+1)); for n in one two; do echo $i > /d/t; mv /d/t /d/$n; done; done",
    ]);
    await until("it writes", async () => existsSync(join(place("e2e-v"), "two")));
    const file = join(folder(), "one");
    for (let round = 0; round < 3; round++) {
      await volume("backup", "--pause", "--force", "e2e-v", file);
      await volume("restore", "-f", file, "e2e-w");
      const [one, two] = (await inVolume("e2e-w", "cat one two")).split("\n").map(Number);
      // Stopped between two instructions of its shell.
      expect((one ?? 0) - (two ?? 0)).toBeWithin(0, 2);
    }
    const now = readFileSync(join(place("e2e-v"), "one"), "utf8");
    await until("it goes on", async () => readFileSync(join(place("e2e-v"), "one"), "utf8") !== now);
  }, 30_000);
});

describe("a daemon that is killed", () => {
  test("in a restore leaves the volume as it was", async () => {
    const file = join(folder(), "one");
    await inVolume("e2e-w", "head -c 200000000 /dev/zero | tr '\\0' x > f");
    await volume("backup", "e2e-w", file);
    await inVolume("e2e-v", "echo kept > f");
    const restoring = engine.havre(["volume", "restore", "-f", file, "e2e-v"]);
    const staged = join(engine.own.root, "volumes/.staged");
    await until("it unpacks", async () => readdirSync(staged).some((name) => existsSync(join(staged, name, "f"))), {
      interval: 1,
    });
    await engine.own.kill();
    await restoring;
    await engine.own.start();
    expect(await inVolume("e2e-v", "cat f")).toBe("kept");
    expect(existsSync(staged)).toBe(false);
  }, 60_000);

  test("in a backup leaves the earlier ones whole, and the next goes on with what was stored", async () => {
    const dir = folder();
    await inVolume("e2e-v", "echo one > f");
    await volume("backup", "e2e-v", dir);
    await inVolume("e2e-v", "head -c 60000000 /dev/urandom > big");
    const backing = engine.havre(["volume", "backup", "e2e-v", dir]);
    await until("chunks come", async () => readdirSync(join(dir, "chunks")).length > 3, { interval: 1 });
    await engine.own.kill();
    await backing;
    await engine.own.start();
    expect(JSON.parse(await volume("backups", "--json", dir))).toHaveLength(1);
    await volume("backup", "e2e-v", dir);
    expect((await volume("verify", dir)).split("\n").every((line) => line.includes(": whole"))).toBe(true);
  }, 60_000);

  test("in a paused backup lets the containers go on when it is back", async () => {
    await ok([
      "run",
      "-d",
      "--name",
      "e2e-a",
      "--net",
      "none",
      "-v",
      "e2e-v:/d",
      "bb",
      "sh",
      "-c",
      "head -c 300000000 /dev/zero > /d/big; i=0; while :; do i=$((i+1)); echo $i > /d/one; done",
    ]);
    await until("it writes", async () => existsSync(join(place("e2e-v"), "one")), { within: 30_000 });
    const file = join(folder(), "one");
    const backing = engine.havre(["volume", "backup", "--pause", "e2e-v", file]);
    await until("it has begun", async () => readdirSync(join(file, "..")).length > 0, { interval: 1 });
    await engine.own.kill();
    await backing;
    await engine.own.start();
    const now = readFileSync(join(place("e2e-v"), "one"), "utf8");
    await until("it goes on", async () => readFileSync(join(place("e2e-v"), "one"), "utf8") !== now);
  }, 60_000);
});

describe("snapshot, clone and copy", () => {
  test("a clone goes its own way, a snapshot is only read", async () => {
    await inVolume("e2e-v", "echo one > f");
    const { stderr } = await engine.havre(["volume", "snapshot", "e2e-v", "e2e-s"]);
    expect(stderr).toMatch(/^(Content shared, nothing copied|Copied 4B in 1 files)/);
    await volume("clone", "e2e-v", "e2e-c");
    await inVolume("e2e-c", "echo two > f");
    expect(await inVolume("e2e-v", "cat f")).toBe("one");
    expect(await inVolume("e2e-s", "cat f; touch g 2>&1; true")).toBe("one\ntouch: g: Read-only file system");
    expect(await ok(["volume", "inspect", "-f", "{{json .Labels}}", "e2e-s"])).toBe(
      '{"havre.volume.snapshot-of":"e2e-v"}',
    );
    expect(await refused("clone", "e2e-v", "e2e-c")).toContain("Volume e2e-c exists already");
    expect(await refused("clone", "e2e-none", "e2e-x")).toContain("get e2e-none: no such volume");
    await volume("clone", "e2e-s", "e2e-x");
    expect(await inVolume("e2e-x", "echo three > f; cat f")).toBe("three");
  }, 30_000);

  /** A daemon whose root is on a file system of its own, made by `mkfs`, and `havre volume …` there, which must succeed. */
  async function onFileSystem(
    mkfs: string,
    use: (
      volumes: (...args: string[]) => Promise<string>,
      data: (name: string) => string,
      at: TestDaemon,
    ) => Promise<void>,
  ): Promise<void> {
    const image = join(folder(), "image");
    expect(spawnSync("sh", ["-c", `truncate -s 600m ${image} && ${mkfs} -q ${image}`]).status).toBe(0);
    const mounted = folder();
    expect(spawnSync("mount", ["-o", "loop", image, mounted]).status).toBe(0);
    try {
      const daemon = new TestDaemon({ root: join(mounted, "root") });
      await daemon.start();
      try {
        const havre = async (...args: string[]) => {
          const env = { HAVRE_ROOT: daemon.root, HAVRE_RUN: daemon.run };
          const { code, stdout, stderr } = await engine.havre(["-H", daemon.host, "volume", ...args], { env });
          if (code !== 0) throw new Error(stderr);
          return stdout + stderr;
        };
        await use(havre, (name) => join(daemon.root, "volumes", name, "_data"), daemon);
      } finally {
        await daemon.end();
        await daemon.removeNetwork();
        await daemon[Symbol.asyncDispose]();
      }
    } finally {
      expect(spawnSync("umount", [mounted], { encoding: "utf8" }).stderr).toBe("");
    }
  }

  test("on a file system that shares content nothing is copied", async () => {
    await onFileSystem("mkfs.xfs", async (volumes, data) => {
      await volumes("create", "vv");
      writeFileSync(join(data("vv"), "f"), Buffer.alloc(5_000_000, 1));
      expect(await volumes("clone", "vv", "cc")).toBe("cc\nContent shared, nothing copied (1 files)\n");
      expect(statSync(join(data("cc"), "f")).size).toBe(5_000_000);
    });
  }, 60_000);

  test("on btrfs they are snapshots of the file system, however much there is", async () => {
    await onFileSystem("mkfs.btrfs", async (volumes, data, daemon) => {
      await volumes("create", "vv");
      const make =
        "mkdir -p a/b; echo deep > a/b/f; head -c 60000000 /dev/urandom > big; chown 5:6 . big; chmod 2770 .";
      expect(spawnSync("sh", ["-c", make], { cwd: data("vv") }).status).toBe(0);
      const before = portrait(data("vv"));
      expect(await volumes("snapshot", "vv", "ss")).toBe("ss\nA snapshot of the file system, nothing copied\n");
      writeFileSync(join(data("vv"), "big"), "changed");
      expect(await volumes("clone", "ss", "cc")).toContain("A snapshot of the file system");
      expect([portrait(data("ss")), portrait(data("cc"))]).toEqual([before, before]);
      // Restored and filled volumes are fit for it as well, and all of them go as volumes do.
      const backup = join(folder(), "one");
      await volumes("backup", "--pause", "cc", backup);
      await volumes("restore", "--force", backup, "vv");
      expect(portrait(data("vv"))).toBe(before);
      expect(await volumes("clone", "vv", "again")).toContain("A snapshot of the file system");
      await daemon.restart();
      await volumes("rm", "vv", "ss", "cc", "again");
      const left = () => spawnSync("btrfs", ["subvolume", "list", daemon.root], { encoding: "utf8" }).stdout;
      await until("their subvolumes are gone", async () => !left().includes("/"));
    });
  }, 60_000);

  test("to another engine, whole or not at all", async () => {
    await everything("e2e-v");
    const other = new TestDaemon();
    await other.start();
    try {
      await volume("copy", "--name", "copied", "e2e-v", other.host);
      expect(portrait(join(other.root, "volumes/copied/_data"))).toBe(portrait(place("e2e-v")));
      expect(await refused("copy", "--name", "copied", "e2e-v", other.host)).toContain("Volume copied is not empty");
      expect(await refused("copy", "e2e-v", "ssh://-oProxyCommand=x/")).toContain("is no host to reach by ssh");
    } finally {
      await other.end();
      await other.removeNetwork();
      await other[Symbol.asyncDispose]();
    }
  }, 60_000);
});

test("a schedule backs up at once, keeps what it is told to, and survives the daemon", async () => {
  const dir = folder();
  await inVolume("e2e-v", "echo one > f");
  await volume("schedule", "--every", "1h", "--keep-last", "2", "nightly", "e2e-v", dir);
  const outcome = async () => {
    const [schedule] = JSON.parse(await volume("schedules", "--json")) as { status: Record<string, unknown> }[];
    return schedule?.status ?? {};
  };
  await until("the first is made", async () => (await outcome()).lastBackup !== undefined);
  await engine.own.kill();
  await engine.own.start();
  expect(await outcome()).toHaveProperty("lastBackup");
  expect(JSON.parse(await volume("backups", "--json", dir))).toHaveLength(1);
  expect(await refused("schedule", "--every", "1h", "nightly", "e2e-v", dir)).toContain(
    "Schedule nightly exists already",
  );
  expect(await refused("schedule", "--every", "1h", "other", "e2e-v", join(dir, "none"))).toContain("is no folder");
  await volume("unschedule", "nightly");
  await volume("schedule", "--every", "1h", "failing", "e2e-none", dir);
  await until("it has failed", async () => (await outcome()).lastError === "get e2e-none: no such volume");
  await volume("unschedule", "failing");
  expect(await volume("schedules")).not.toContain("failing");
}, 60_000);
