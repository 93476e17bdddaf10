import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountInfo } from "../src/kernel/mod.ts";
import { TestDaemon, until, useEngine } from "./harness/mod.ts";

const folder = mkdtempSync(join(tmpdir(), "havre-others-"));
const plugins = join(folder, "plugins");
const engine = useEngine({ flags: ["--plugins", plugins] });
const ok = engine.ok.bind(engine);
afterAll(() => rmSync(folder, { recursive: true }));

afterEach(async () => {
  await engine.removeContainers();
  const names = await ok(["volume", "ls", "-q"]);
  if (names !== "") await ok(["volume", "rm", "-f", ...names.split("\n")]);
}, 60_000);

/** A program of others in the background, until disposed. */
function background(command: string, args: readonly string[]): AsyncDisposable & { readonly child: ChildProcess } {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    child,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

describe("rclone, a volume plug-in that others wrote", () => {
  const [store, mounts] = [join(folder, "store"), join(folder, "mounts")];
  const serve = async () => {
    for (const path of [plugins, store, mounts]) mkdirSync(path, { recursive: true });
    const socket = join(plugins, "rclone.sock");
    rmSync(socket, { force: true });
    const config = join(folder, "rclone.conf");
    writeFileSync(config, "");
    // biome-ignore format: flag and value side by side
    const rclone = background("rclone", [
      "serve", "docker", "--config", config, "--cache-dir", join(folder, "cache"), "--base-dir", mounts,
      "--socket-addr", socket, "--log-file", join(folder, "rclone.log"),
    ]);
    await until("it listens", () => existsSync(socket));
    return rclone;
  };
  const mounted = () => mountInfo().filter(({ mountPoint }) => mountPoint.startsWith(mounts)).length;
  const make = (name: string) =>
    ok(["volume", "create", "-d", "rclone", "-o", "type=local", "-o", `path=${store}`, name]);

  test("is mounted for its container and unmounted after it, with what was written in it", async () => {
    await using _rclone = await serve();
    await make("remote");
    writeFileSync(join(store, "given"), "by the other side\n");
    const seen = await ok([
      ...["run", "--rm", "--net", "none", "-v", "remote:/d", "bb", "sh", "-c"],
      "cat /d/given; echo by a container > /d/made; grep -o ' /d fuse.rclone' /proc/mounts",
    ]);
    expect(seen).toBe("by the other side\n /d fuse.rclone");
    await until("it is unmounted", () => mounted() === 0);
    await until("it is stored", () => existsSync(join(store, "made")));
    expect(readFileSync(join(store, "made"), "utf8")).toBe("by a container\n");
    expect(await ok(["volume", "ls", "--format", "{{.Driver}} {{.Name}}"])).toBe("rclone remote");
    expect(await ok(["volume", "inspect", "-f", "{{.Mountpoint}}", "remote"])).toBe(join(mounts, "remote"));
    const wrong = await engine.docker(["volume", "create", "-d", "rclone", "-o", "type=nonsense", "wrong"]);
    expect(wrong.stderr).toContain('create wrong: VolumeDriver.Create: unknown filesystem type "nonsense"');
    await ok(["volume", "rm", "remote"]);
    expect(await ok(["volume", "ls", "-q"])).toBe("");
    expect(readdirSync(store).sort()).toEqual(["given", "made"]);
  }, 60_000);

  test("stays mounted once for two containers, over a kill of the daemon, until the last has gone", async () => {
    await using _rclone = await serve();
    await make("shared");
    for (const name of ["one", "two"])
      await ok(["run", "-d", "--name", name, "--net", "none", "-v", "shared:/d", "bb", "sleep", "1000"]);
    await engine.own.kill();
    await engine.own.start();
    await ok(["exec", "one", "sh", "-c", "echo said > /d/f"]);
    expect(await ok(["exec", "two", "cat", "/d/f"])).toBe("said");
    expect((await engine.docker(["volume", "rm", "shared"])).stderr).toContain("volume is in use");
    await ok(["rm", "-f", "one"]);
    expect(mounted()).toBe(1);
    await ok(["rm", "-f", "two"]);
    await until("it is unmounted", () => mounted() === 0);
  }, 60_000);

  test("that dies under a container is named, and the container still goes", async () => {
    {
      await using _rclone = await serve();
      await make("lost");
      await ok(["run", "-d", "--name", "one", "--net", "none", "-v", "lost:/d", "bb", "sleep", "1000"]);
    }
    const { stderr } = await engine.docker(["exec", "one", "ls", "/d"]);
    expect(stderr).toContain("Transport endpoint is not connected");
    await ok(["rm", "-f", "one"]);
    const again = await engine.docker(["run", "--rm", "--net", "none", "-v", "lost:/d", "bb", "true"]);
    expect(again.stderr).toContain("Volume plug-in rclone cannot be reached");
    expect(spawnSync("umount", [join(mounts, "lost")]).status).toBe(0);
  }, 60_000);
});

describe("havre volume copy through ssh", () => {
  /** sshd on loopback with keys of its own, and an `ssh` that knows them; the port. */
  async function sshd(): Promise<AsyncDisposable & { readonly port: number; readonly path: string }> {
    const at = (name: string) => join(folder, name);
    for (const key of ["host-key", "user-key"])
      expect(spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at(key)]).status).toBe(0);
    const port = await freePort();
    writeFileSync(
      at("sshd_config"),
      `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${at("host-key")}\nAuthorizedKeysFile ${at("user-key.pub")}\n` +
        "PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nLogLevel QUIET\n",
    );
    writeFileSync(
      at("ssh_config"),
      `IdentityFile ${at("user-key")}\nUserKnownHostsFile ${at("known")}\nStrictHostKeyChecking accept-new\nBatchMode yes\n`,
    );
    mkdirSync(at("bin"));
    writeFileSync(at("bin/ssh"), `#!/bin/sh\nexec /usr/bin/ssh -F ${at("ssh_config")} "$@"\n`, { mode: 0o755 });
    mkdirSync("/run/sshd", { recursive: true });
    const server = background("/usr/sbin/sshd", ["-D", "-f", at("sshd_config")]);
    await until("sshd listens", () => answers(port));
    return { port, path: `${at("bin")}:${process.env.PATH}`, [Symbol.asyncDispose]: server[Symbol.asyncDispose] };
  }

  test("brings it to an engine on another host, or says what is in the way", async () => {
    await using server = await sshd();
    const other = new TestDaemon();
    await other.start();
    try {
      await ok(["volume", "create", "here"]);
      const content = "cd /d; head -c 5000000 /dev/urandom > f; chown 33:44 f; sha256sum f; stat -c %u:%g f";
      const before = await ok(["run", "--rm", "--net", "none", "-v", "here:/d", "bb", "sh", "-c", content]);
      const copy = (host: string, port = server.port) =>
        engine.havre(["volume", "copy", "here", `ssh://root@127.0.0.1:${port}${host}`], { env: { PATH: server.path } });
      expect(await copy(other.socket)).toEqual({ code: 0, stdout: "here\n", stderr: "" });
      const place = join(other.root, "volumes/here/_data");
      const { stdout } = spawnSync("sh", ["-c", "sha256sum f; stat -c %u:%g f"], { cwd: place, encoding: "utf8" });
      expect(stdout.trim()).toBe(before);
      expect((await copy(other.socket)).stderr).toContain("Volume here is not empty");
      const nobody = await copy("/nowhere.sock");
      expect(nobody.code).toBe(1);
      expect(nobody.stderr).toContain("No engine answers at /nowhere.sock of 127.0.0.1");
      expect((await copy(other.socket, await freePort())).stderr).toContain("Connection refused");
      expect(readdirSync(tmpdir()).filter((name) => name.startsWith("havre-ssh-"))).toEqual([]);
    } finally {
      await other.end();
      await other.removeNetwork();
      await other[Symbol.asyncDispose]();
    }
  }, 60_000);
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("data", () => socket.destroy());
  });
}
