/** Containers with user ids of their own: what they are on the host, what they see, and that everything else goes on working. */
import { describe, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until, useEngine } from "./harness/mod.ts";

const engine = useEngine({ flags: ["--userns-remap", "default"] });
const ok = engine.ok.bind(engine);

interface Ids {
  readonly first: number;
  readonly size: number;
}

const pidOf = async (name: string) => Number(await ok(["inspect", "-f", "{{.State.Pid}}", name]));
function idsOf(pid: number): Ids {
  const [, first = "", size = ""] = readFileSync(`/proc/${pid}/uid_map`, "utf8").trim().split(/\s+/);
  return { first: Number(first), size: Number(size) };
}
/** Numeric owner and name of every line of `ls -ln`. */
const owners = (text: string) =>
  text
    .split("\n")
    .filter((line) => /^[-dlc]/.test(line))
    .map((line) => line.split(/\s+/))
    .map((words) => `${words[2]}:${words[3]} ${words.at(-1)}`);
const run = (name: string, ...args: string[]) => ok(["run", "-d", "--name", name, ...args]);

describe("who a container is", () => {
  test("root inside is nobody outside; two containers share no id; ids are free again after rm", async () => {
    await run("e2e-a", "bb", "sleep", "1000");
    await run("e2e-b", "bb", "sleep", "1000");
    const [a, b] = [await pidOf("e2e-a"), await pidOf("e2e-b")];
    expect(await ok(["exec", "e2e-a", "id", "-u"])).toBe("0");
    expect(statSync(`/proc/${a}`).uid).toBe(idsOf(a).first);
    expect(idsOf(a).first).toBeGreaterThan(1_000_000);
    expect(Math.abs(idsOf(a).first - idsOf(b).first)).toBeGreaterThanOrEqual(idsOf(a).size);
    const before = idsOf(a).first;
    await ok(["rm", "-f", "e2e-a"]);
    await run("e2e-a", "bb", "sleep", "1000");
    expect(idsOf(await pidOf("e2e-a")).first).toBe(before);
  });

  test("a container keeps its ids over restarts, its own and the daemon's, and kill -9 of that", async () => {
    await run("e2e-a", "bb", "sh", "-c", "touch /mine; sleep 1000");
    await until("it has begun", async () => (await engine.docker(["exec", "e2e-a", "ls", "/mine"])).code === 0);
    const pid = await pidOf("e2e-a");
    const before = idsOf(pid);
    await engine.own.kill();
    await engine.own.start();
    expect(await pidOf("e2e-a")).toBe(pid);
    expect(await ok(["exec", "e2e-a", "sh", "-c", "touch /after && id -u"])).toBe("0");
    await run("e2e-b", "bb", "sleep", "1000");
    expect(idsOf(await pidOf("e2e-b")).first).not.toBe(before.first);
    await ok(["restart", "-t", "0", "e2e-a"]);
    expect(idsOf(await pidOf("e2e-a"))).toEqual(before);
    expect(owners(await ok(["exec", "e2e-a", "ls", "-ln", "/mine", "/after"]))).toEqual(["0:0 /after", "0:0 /mine"]);
  });

  test("the host's ids on request; info says what is usual", async () => {
    expect(await ok(["run", "--userns=host", "bb", "cat", "/proc/self/uid_map"])).toContain("4294967295");
    expect(await ok(["info", "-f", "{{.SecurityOptions}}"])).toContain("name=userns");
    const chosen = await engine.havre(["run", "--rm", "--userns=700000:1000", "bb", "cat", "/proc/self/uid_map"]);
    expect(chosen.stdout.trim().split(/\s+/)).toEqual(["0", "700000", "1000"]);
    const few = await engine.havre(["run", "--rm", "--userns=auto:size=2000", "bb", "cat", "/proc/self/uid_map"]);
    expect(few.stdout.trim()).toMatch(/ 2000$/);
  });

  test("what belongs to the host is refused, as Docker does", async () => {
    const refused = async (...args: string[]) => (await engine.docker(["run", "--rm", ...args, "bb", "true"])).stderr;
    expect(await refused("--privileged")).toContain("privileged mode is incompatible with user namespaces");
    expect(await refused("--network", "host")).toContain("cannot share the host's network namespace");
    expect(await refused("--pid", "host")).toContain("cannot share the host PID namespace");
  });
});

describe("files", () => {
  test("image, volumes, binds and the engine's own files have the owners they have on disk, and keep them", async () => {
    const bind = join(engine.folder, "bind");
    mkdirSync(bind);
    // Nobody but the host's root may pass here.
    chmodSync(engine.folder, 0o700);
    writeFileSync(join(bind, "theirs"), "x");
    chownSync(join(bind, "theirs"), 1000, 1001);
    await run("e2e-a", "-v", "e2e-vol:/data", "-v", `${bind}:/bind`, "bb", "sleep", "1000");
    const script = "touch /bind/new /data/new && chown 5:6 /data/new && ls -ln / /bind /data /etc/hosts /dev/shm";
    const seen = owners(await ok(["exec", "e2e-a", "sh", "-c", script]));
    expect(seen).toContain("0:0 bin");
    expect(seen).toContain("1000:1001 theirs");
    expect(seen).toContain("0:0 new");
    expect(seen).toContain("5:6 new");
    expect(seen).toContain("0:0 /etc/hosts");
    expect(statSync(join(bind, "new"))).toMatchObject({ uid: 0, gid: 0 });
    const volume = await ok(["volume", "inspect", "-f", "{{.Mountpoint}}", "e2e-vol"]);
    expect(statSync(join(volume, "new"))).toMatchObject({ uid: 5, gid: 6 });
    // Another container, with other ids, sees the same.
    expect(owners(await ok(["run", "--rm", "-v", "e2e-vol:/data", "bb", "ls", "-ln", "/data"]))).toEqual(["5:6 new"]);
    expect(await ok(["exec", "e2e-a", "sh", "-c", "echo 10.9.8.7 extra >> /etc/hosts && tail -1 /etc/hosts"])).toBe(
      "10.9.8.7 extra",
    );
    await ok(["rm", "-f", "e2e-a"]);
    await ok(["volume", "rm", "e2e-vol"]);
  });

  test("a volume is filled from the image with the owners there", async () => {
    await ok(["run", "--name", "e2e-a", "bb", "sh", "-c", "mkdir /seed && touch /seed/f && chown -R 33:34 /seed"]);
    await ok(["commit", "e2e-a", "e2e-seeded"]);
    expect(owners(await ok(["run", "-v", "/seed", "e2e-seeded", "ls", "-ln", "/seed"]))).toEqual(["33:34 f"]);
    await ok(["rm", "-f", "e2e-a"]);
  });

  test("cp in and out, diff, commit and export show the owners inside", async () => {
    await run("e2e-a", "-v", "e2e-vol:/data", "bb", "sleep", "1000");
    await ok(["exec", "e2e-a", "sh", "-c", "touch /own && chown 33:34 /own"]);
    const tar = await engine.dockerBytes(["cp", "e2e-a:/own", "-"]);
    const members = (bytes: Uint8Array) =>
      Bun.spawnSync(["tar", "--numeric-owner", "-tvf", "-"], { stdin: bytes }).stdout;
    expect(String(members(tar.stdout))).toContain("33/34");
    writeFileSync(join(engine.folder, "in"), "in");
    const archive = Bun.spawnSync(["tar", "--owner=7", "--group=8", "-cf", "-", "-C", engine.folder, "in"]).stdout;
    for (const place of ["/", "/data"]) await ok(["cp", "-a", "-", `e2e-a:${place}`], { input: archive });
    expect(owners(await ok(["exec", "e2e-a", "ls", "-ln", "/in", "/data/in"]))).toEqual(["7:8 /data/in", "7:8 /in"]);
    expect((await ok(["diff", "e2e-a"])).split("\n")).toEqual(expect.arrayContaining(["A /own", "A /in"]));
    await ok(["commit", "e2e-a", "e2e-committed"]);
    const image = await ok(["run", "--userns=host", "e2e-committed", "ls", "-ln", "/own", "/in"]);
    expect(owners(image)).toEqual(["7:8 /in", "33:34 /own"]);
    const exported = await engine.dockerBytes(["export", "e2e-a"]);
    expect(String(members(exported.stdout))).toMatch(/33\/34 .* own/);
    // The same without a process.
    await ok(["stop", "-t", "0", "e2e-a"]);
    await ok(["cp", "-a", "-", "e2e-a:/bin"], { input: archive });
    await ok(["start", "e2e-a"]);
    expect(owners(await ok(["exec", "e2e-a", "ls", "-ln", "/bin/in"]))).toEqual(["7:8 /bin/in"]);
    const foreign = Bun.spawnSync(["tar", "--owner=70000", "-cf", "-", "-C", engine.folder, "in"]).stdout;
    const refused = await engine.docker(["cp", "-a", "-", "e2e-a:/bin"], { input: foreign });
    expect(refused.stderr).toContain("id 70000 is none of the 65536 that the container has");
    await ok(["rm", "-f", "e2e-a"]);
    await ok(["volume", "rm", "e2e-vol"]);
  });

  test("a folder that cannot be mapped is shown as it is, and said; a volume is not", async () => {
    const created = await engine.docker([
      "create",
      "--name",
      "e2e-a",
      "-v",
      "/proc:/of-host",
      "bb",
      "ls",
      "-lnd",
      "/of-host/1",
    ]);
    expect(created.stderr).toContain("WARNING: /proc is bound with the host's owners");
    expect(await ok(["start", "-a", "e2e-a"])).toContain("65534");
  });
});

describe("what a container of its own ids can do", () => {
  test("its network is its own: capabilities hold in it, ports are published, names are found", async () => {
    await ok(["network", "create", "e2e-net"]);
    // biome-ignore format: a command line
    await run("e2e-a", "--network", "e2e-net", "-p", "127.0.0.1::80", "--cap-add", "NET_ADMIN", "--health-cmd", "wget -qO- http://127.0.0.1", "--health-interval", "100ms", "bb",
      "sh", "-c", "mkdir /www && echo hello > /www/index.html && exec httpd -f -h /www");
    await until(
      "it is healthy",
      async () => (await ok(["inspect", "-f", "{{.State.Health.Status}}", "e2e-a"])) === "healthy",
    );
    expect(await (await fetch(`http://${await ok(["port", "e2e-a", "80"])}`)).text()).toBe("hello\n");
    await ok(["exec", "e2e-a", "ip", "addr", "add", "10.250.9.9/32", "dev", "lo"]);
    expect(await ok(["run", "--network", "e2e-net", "bb", "wget", "-qO-", "http://e2e-a"])).toBe("hello");
    expect(await ok(["exec", "e2e-a", "ping", "-c1", "-W2", "127.0.0.1"])).toContain("1 packets received");
    await ok(["rm", "-f", "e2e-a"]);
    await ok(["network", "rm", "e2e-net"]);
  });

  test("containers that join another's network, processes or memory have its ids", async () => {
    await run("e2e-a", "--ipc", "shareable", "bb", "sh", "-c", "echo hi > /dev/shm/said; exec sleep 1000");
    const ids = idsOf(await pidOf("e2e-a"));
    const map = `${ids.first} ${ids.size}`;
    const joined = async (...args: string[]) =>
      ok([
        "run",
        ...args,
        "bb",
        "sh",
        "-c",
        "cat /proc/self/uid_map; ls /proc/1/root >/dev/null && ps; cat /dev/shm/said",
      ]);
    const flat = (text: string) => text.replace(/ +/g, " ");
    expect(flat(await joined("--network", "container:e2e-a", "--ipc", "container:e2e-a"))).toContain(map);
    const all = flat(await joined("--pid", "container:e2e-a", "--ipc", "container:e2e-a"));
    expect(all).toContain(map);
    expect(all).toContain("sleep 1000");
    expect(all).toContain("hi");
    await ok(["run", "-d", "--userns=host", "--name", "e2e-host", "bb", "sleep", "1000"]);
    const refused = await engine.havre(["run", "--userns=auto", "--network", "container:e2e-host", "bb", "true"]);
    expect(refused.stderr).toContain("cannot join the namespaces of a container that has the host's user ids");
  });

  test("kernel settings and files of the host stay out of reach with every capability", async () => {
    const attempt = async (script: string) =>
      engine.docker(["run", "--cap-add", "ALL", "--security-opt", "seccomp=unconfined", "bb", "sh", "-c", script]);
    expect((await attempt("mount -t tmpfs x /tmp && echo mounted")).stdout).toBe("mounted\n");
    for (const script of [
      "mount -o remount,rw /proc/sys; echo 1 > /proc/sys/kernel/panic",
      "mknod /disk b 8 0 && cat /disk",
      "mount -o remount,rw /sys/fs/cgroup/pids; echo 1 > /sys/fs/cgroup/pids/pids.max",
      "dmesg",
    ])
      expect([script, (await attempt(script)).code]).not.toEqual([script, 0]);
  });

  test("a working folder that the image has not is made, and is the container's", async () => {
    const made = await ok(["run", "--rm", "-w", "/made/here", "bb", "sh", "-c", "touch f && ls -lnd . f /made"]);
    expect(owners(made)).toEqual(["0:0 .", "0:0 /made", "0:0 f"]);
  });

  test("a terminal is the container's own", async () => {
    const { stdout } = await engine.havre(["run", "--rm", "-t", "bb", "sh", "-c", "ls -ln $(tty)"]);
    expect(owners(stdout.replaceAll("\r", ""))[0]).toStartWith("0:");
  });
});
