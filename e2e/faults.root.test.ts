/** What goes wrong around the engine fails the one operation, says what and where, and leaves nothing. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildBusyboxTar } from "./harness/busybox.ts";
import { HAVRE, run, until, useEngine } from "./harness/mod.ts";

/** A small disk of its own for the daemon's durable folder, and a runtime that never answers. */
const place = mkdtempSync(join(tmpdir(), "havre-faults-"));
const disk = join(place, "disk");
const hung = join(place, "hung-runtime");
mkdirSync(disk);
/** What it does instead: told from other runs' by its length. */
const sleeping = `sleep ${86_400 + process.pid}`;
writeFileSync(hung, `#!/bin/sh\nexec ${sleeping}\n`);
chmodSync(hung, 0o755);
execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", disk]);

const engine = useEngine({ root: join(disk, "root"), flags: ["--add-runtime", `hung=${hung}`] });
const docker = engine.docker.bind(engine);
const ok = engine.ok.bind(engine);

beforeAll(() => {
  if (engine.daemon === undefined) throw new Error("These faults are made in Havre's own daemon only");
});
afterAll(() => {
  execFileSync("umount", [disk]);
  rmSync(place, { recursive: true });
});

describe("the runtime", () => {
  test("one that is not known, by name", async () => {
    const outcome = await docker(["run", "--rm", "--runtime", "nowhere", "bb", "true"]);
    expect(outcome.code).toBe(125);
    expect(outcome.stderr).toContain("unknown or invalid runtime name: nowhere");
    expect(await ok(["ps", "-aq"])).toBe("");
  });

  test("one that hangs holds up nothing else, and what waits for it can be removed", async () => {
    const stuck = docker(["run", "-d", "--name", "e2e-stuck", "--runtime", "hung", "bb", "true"], { timeout: 120_000 });
    await until("it is being started", async () => (await docker(["inspect", "e2e-stuck"])).code === 0);
    const started = performance.now();
    expect(await ok(["run", "--rm", "bb", "echo", "others run"])).toBe("others run");
    expect(await ok(["ps", "-a", "--format", "{{.Names}} {{.Status}}"])).toContain("e2e-stuck Created");
    expect(performance.now() - started).toBeLessThan(5000);
    const outcome = await stuck; // A runtime has a minute.
    expect(outcome.code).toBe(125);
    expect(outcome.stderr).toMatch(/runtime did not answer within 60 s/);
    await ok(["rm", "-f", "e2e-stuck"]);
    const { stdout } = await run("ps", ["-eo", "args"]);
    expect(stdout).not.toContain(sleeping);
  }, 150_000);

  test("a supervisor that is killed ends its container, and leaves nothing", async () => {
    const id = await ok(["run", "-d", "--name", "e2e-orphan", "bb", "sleep", "1000"]);
    const pid = Number(await ok(["inspect", "-f", "{{.State.Pid}}", id]));
    const supervisor = Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[1]);
    expect(readFileSync(`/proc/${supervisor}/comm`, "utf8")).toBe("conmon\n");
    process.kill(supervisor, "SIGKILL");
    await until("it is seen", async () => (await ok(["inspect", "-f", "{{.State.Status}}", id])) === "exited");
    await ok(["rm", "-f", id]);
    await until("its process is gone", () => !isAlive(pid));
  });
});

describe("the disk", () => {
  test("full: the writer sees it, an import says it, what is there goes on, and room helps", async () => {
    await ok(["run", "-d", "--name", "e2e-good", "bb", "sleep", "1000"]);
    const big = join(engine.folder, "big.tar");
    mkdirSync(join(engine.folder, "big"));
    await run("sh", [
      "-c",
      `head -c 60000000 /dev/urandom > ${engine.folder}/big/data && tar -C ${engine.folder}/big -cf ${big} .`,
    ]);
    const before = await ok(["images", "-aq"]);
    const refused = await docker(["import", big, "e2e-big"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/Free disk space/);
    expect(await ok(["images", "-aq"])).toBe(before);
    await ok(["run", "--name", "e2e-filler", "bb", "sh", "-c", "head -c 100m /dev/zero > /fill 2>/tmp/err; true"]);
    expect(await ok(["exec", "e2e-good", "echo", "still here"])).toBe("still here");
    expect(await ok(["ps", "-q"])).not.toBe("");
    await ok(["rm", "e2e-filler"]);
    expect(await ok(["run", "--rm", "bb", "echo", "room again"])).toBe("room again");
  }, 60_000);

  test("read-only: a daemon that cannot write says so and ends", async () => {
    const folder = join(place, "read-only");
    mkdirSync(folder);
    execFileSync("mount", ["-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", folder]);
    try {
      const flags = [
        "--root",
        join(folder, "root"),
        "--run",
        join(place, "run"),
        "--bridge",
        "hvtro",
        "--subnet",
        "10.191.0.0/24",
      ];
      const outcome = await run(HAVRE, ["daemon", ...flags]);
      expect(outcome.code).not.toBe(0);
      expect(outcome.stderr).toMatch(/read-only/i);
      expect(outcome.stderr).toContain(folder);
    } finally {
      execFileSync("umount", [folder]);
    }
  });
});

describe("clients", () => {
  test("one that goes away in the middle of a load leaves nothing", async () => {
    const tar = join(engine.folder, "half.tar");
    await buildBusyboxTar(tar);
    const bytes = readFileSync(tar);
    const before = [await ok(["images", "-aq"]), files(engine.own.root).length];
    for (const path of ["/images/create?fromSrc=-&repo=e2e-half", "/images/load"]) {
      const socket = connect(engine.own.socket);
      socket.write(`POST /v1.45${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes.length}\r\n\r\n`);
      await new Promise((resolve) => socket.write(bytes.subarray(0, bytes.length / 2), resolve));
      socket.destroy();
    }
    await until("nothing of it is left", async () => {
      return (await ok(["images", "-aq"])) === before[0] && files(engine.own.root).length <= Number(before[1]);
    });
  });

  test("a hundred that hang up at once, and one that sends no HTTP", async () => {
    await ok(["run", "-d", "--name", "e2e-talk", "bb", "sh", "-c", "while :; do echo talk; sleep 0.01; done"]);
    const descriptors = (): number => readdirSync(`/proc/${engine.own.pid}/fd`).length;
    const before = descriptors();
    for (let round = 0; round < 3; round++) {
      const sockets = await Promise.all(
        Array.from({ length: 100 }, async () => {
          const socket = connect(engine.own.socket);
          socket.write(
            "POST /v1.45/containers/e2e-talk/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
          );
          await new Promise((resolve) => socket.once("data", resolve));
          return socket;
        }),
      );
      for (const socket of sockets) socket.destroy();
      await until("their descriptors are closed", () => descriptors() <= before + 4);
    }
    const stranger = connect(engine.own.socket);
    const answer = new Promise<string>((resolve) => stranger.once("data", (data: Buffer) => resolve(data.toString())));
    stranger.write("SSH-2.0-hello\r\n\r\n");
    expect(await answer).toStartWith("HTTP/1.1 400");
    stranger.destroy();
  }, 60_000);

  test("bodies that are wrong: which field, what was expected", async () => {
    const message = async (body: unknown, init?: RequestInit): Promise<string> => {
      const response = await engine.api("POST", "/containers/create", body, init);
      expect(response.status).toBe(400);
      return ((await response.json()) as { message: string }).message;
    };
    expect(await message({ Image: "bb", Env: "A=1" })).toContain("Env");
    expect(await message({ Image: "bb", HostConfig: { Memory: "much" } })).toContain("Memory");
    const headers = { "Content-Type": "application/json" };
    expect(await message(undefined, { body: "{", headers })).not.toBe("");
    expect(await message(undefined, { body: "", headers })).not.toBe("");
    expect((await engine.api("GET", "/no/such/page")).status).toBe(404);
  });
});

/** Every regular file below a folder. */
function files(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Whether a process is there and no zombie that its parent has yet to bury. */
function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}/stat`) && !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
}

test("an image whose layer was changed on the disk is not run; image verify tells which", async () => {
  await engine.loadBusybox();
  expect((await engine.havre(["image", "verify"])).code).toBe(0);
  const layers = join(disk, "root/snapshots/layers");
  const tars = readdirSync(layers).map((number) => join(layers, number, "layer.tar"));
  const tar = tars.find((path) => existsSync(path));
  // A kernel that cannot mount them has them unpacked: `src/snapshots/layer-seal.root.test.ts`.
  if (tar === undefined) return;
  const fd = openSync(tar, "r+");
  const [before, after] = [Buffer.alloc(1), Buffer.from([0xff])];
  readSync(fd, before, 0, 1, 600);
  writeSync(fd, after, 0, 1, 600);
  const refused = await docker(["run", "--rm", "--net", "none", "bb", "true"]);
  expect(refused.code).toBe(125);
  expect(refused.stderr).toMatch(
    /Image bb cannot be used: Layer sha256:[0-9a-f]{64} is damaged: its digest is sha256:/,
  );
  const told = await engine.havre(["image", "verify", "bb"]);
  expect([told.code, told.stdout]).toEqual([1, expect.stringMatching(/^bb(:latest)?: .*is damaged/m)]);
  writeSync(fd, before, 0, 1, 600);
  closeSync(fd);
  await ok(["run", "--rm", "--net", "none", "bb", "true"]);
});
