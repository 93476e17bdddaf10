import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestPlugin } from "../src/volumes/plugins/test-plugin.ts";
import { OTHER_ENGINE, run, until, useEngine } from "./harness/mod.ts";

const plugins = mkdtempSync(join(tmpdir(), "havre-plugins-"));
const engine = useEngine({ flags: ["--plugins", plugins] });
afterAll(() => rmSync(plugins, { recursive: true }));
const docker = engine.docker.bind(engine);
const ok = engine.ok.bind(engine);
const once = (flags: readonly string[], ...command: string[]): Promise<string> =>
  ok(["run", "--rm", "--net", "none", ...flags, "bb", ...command]);
const stderrOf = async (...args: string[]): Promise<string> => (await docker(args)).stderr;

afterEach(async () => {
  await engine.removeContainers();
  const names = await ok(["volume", "ls", "-q", "--filter", "name=^e2e-"]);
  if (names !== "") await ok(["volume", "rm", ...names.split("\n")]);
}, 60_000);

interface Mounted {
  readonly Type: string;
  readonly Name: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Mode: string;
  readonly RW: boolean;
}

/** An image with a folder at /data that a volume is to begin with. */
async function imageWithData(): Promise<void> {
  if ((await docker(["image", "inspect", "e2e-data"])).code === 0) return;
  const side = join(engine.folder, "data");
  mkdirSync(side);
  for (const name of ["plain", "odd"]) writeFileSync(join(side, name), `${name}\n`);
  await ok(["create", "--name", "e2e-a", "bb", "true"]);
  await ok(["cp", side, "e2e-a:/data"]);
  await ok(["commit", "-c", "VOLUME /data", "e2e-a", "e2e-base"]);
  await ok(["rm", "e2e-a"]);
  const script =
    "cd /new; cp -a /data/. .; ln -s plain link; ln plain hard; mkfifo pipe; chmod 4711 odd; chown 33:44 .; chmod 2750 .";
  await ok(["run", "--name", "e2e-a", "--net", "none", "e2e-base", "sh", "-c", `mkdir /new; ${script}`]);
  await ok(["commit", "-c", "VOLUME /new", "e2e-a", "e2e-data"]);
  await ok(["rm", "-v", "e2e-a"]);
}

describe("named volumes", () => {
  test("are made once, keep what they were made with, and are listed, inspected and filtered", async () => {
    expect(await ok(["volume", "create", "--label", "a=b", "e2e-v"])).toBe("e2e-v");
    expect(await ok(["volume", "create", "--label", "c=d", "e2e-v"])).toBe("e2e-v");
    const { Labels, Driver, Scope, Mountpoint, Options } = JSON.parse(
      await ok(["volume", "inspect", "--format", "{{json .}}", "e2e-v"]),
    );
    expect({ Labels, Driver, Scope, Options }).toEqual({
      Labels: { a: "b" },
      Driver: "local",
      Scope: "local",
      Options: null,
    });
    expect(Mountpoint).toEndWith("/volumes/e2e-v/_data");
    await ok(["volume", "create", "e2e-w"]);
    const listed = (...filters: string[]) =>
      ok(["volume", "ls", "-q", "--filter", "name=^e2e-", ...filters.flatMap((filter) => ["--filter", filter])]);
    expect(await listed()).toBe("e2e-v\ne2e-w");
    expect(await listed("label=a")).toBe("e2e-v");
    await ok(["create", "--name", "e2e-a", "-v", "e2e-w:/w", "bb", "true"]);
    expect(await listed("dangling=true")).toBe("e2e-v");
    expect(await listed("dangling=false")).toBe("e2e-w");
    expect(await listed("driver=none")).toBe("");
  });

  test("carry data from one container to the next, read-only where asked", async () => {
    await once(["-v", "e2e-v:/d"], "sh", "-c", "echo kept > /d/f");
    expect(await once(["-v", "e2e-v:/d:ro"], "sh", "-c", "cat /d/f; touch /d/g 2>&1; true")).toBe(
      "kept\ntouch: /d/g: Read-only file system",
    );
    expect(await once(["--mount", "type=volume,src=e2e-v,dst=/x,readonly"], "cat", "/x/f")).toBe("kept");
  });

  test("that a container has, running or not, are not removed, and the error names the container", async () => {
    const id = await ok(["create", "--name", "e2e-a", "-v", "e2e-v:/d", "bb", "true"]);
    const inUse = `Error response from daemon: remove e2e-v: volume is in use - [${id}]\n`;
    expect(await stderrOf("volume", "rm", "e2e-v")).toBe(inUse);
    expect(await stderrOf("volume", "rm", "-f", "e2e-v")).toBe(inUse);
    await ok(["rm", "-v", "e2e-a"]);
    expect(await ok(["volume", "rm", "e2e-v"])).toBe("e2e-v");
    expect(await stderrOf("volume", "rm", "e2e-v")).toContain("get e2e-v: no such volume");
    expect(await ok(["volume", "rm", "-f", "e2e-v"])).toBe("e2e-v");
  });

  test.each([
    [["volume", "create", "e2e/v"], 'create e2e/v: "e2e/v" includes invalid characters for a local volume name'],
    [["volume", "create", "v"], "create v: volume name is too short, names should be at least two"],
    [["volume", "create", "-o", "foo=bar", "e2e-v"], 'create e2e-v: invalid option: "foo"'],
    [["volume", "create", "-o", "type=tmpfs", "e2e-v"], 'create e2e-v: missing required option: "device"'],
    [["volume", "create", "-d", "nosuch", "e2e-v"], 'volume plugin nosuch: plugin "nosuch" not found'],
    [["run", "--rm", "-v", "e2e-v:/x:rslave", "bb", "true"], "field BindOptions must not be specified"],
  ])("%j is refused in Docker's words", async (args, text) => {
    expect(await stderrOf(...args)).toContain(text);
    expect(await ok(["volume", "ls", "-q", "--filter", "name=^e2e-v$"])).toBe("");
  });
});

describe("a volume's first content", () => {
  test("is what the image has there: owners, modes, links, a pipe; only when it is empty", async () => {
    await imageWithData();
    const look = "cd /new; stat -c '%n %a %u:%g %F %h' . plain hard link odd pipe; readlink link; cat plain";
    const image = [
      ". 2750 33:44 directory 2",
      "plain 644 0:0 regular file 2",
      "hard 644 0:0 regular file 2",
      "link 777 0:0 symbolic link 1",
      "odd 4711 0:0 regular file 1",
      "pipe 644 0:0 fifo 1",
      "plain",
      "plain",
    ].join("\n");
    expect(await ok(["run", "--rm", "--net", "none", "-v", "e2e-v:/new", "e2e-data", "sh", "-c", look])).toBe(image);
    await once(["-v", "e2e-v:/d"], "sh", "-c", "rm /d/*; echo own > /d/own");
    const list = ["e2e-data", "ls", "/new"];
    expect(await ok(["run", "--rm", "--net", "none", "-v", "e2e-v:/new", ...list])).toBe("own");
    expect(await ok(["run", "--rm", "--net", "none", "-v", "e2e-w:/new:nocopy", ...list])).toBe("");
  }, 30_000);

  test("is a folder's owner and mode alone where the image has it empty", async () => {
    const tar = join(engine.folder, "empty.tar");
    await run("sh", [
      "-c",
      `mkdir -p ${engine.folder}/e/empty && cd ${engine.folder}/e && chown 33:44 empty && chmod 2750 empty && tar -cf ${tar} .`,
    ]);
    await ok(["import", tar, "e2e-empty"]);
    await ok(["create", "--name", "e2e-a", "-v", "e2e-v:/empty", "e2e-empty", "true"]);
    expect(await once(["-v", "e2e-v:/d"], "stat", "-c", "%a %u:%g", "/d")).toBe("2750 33:44");
    await ok(["rm", "e2e-a"]);
    await ok(["rmi", "e2e-empty"]);
  });

  test("a volume over a file of the image is refused, and nothing of the container stays", async () => {
    expect(await stderrOf("create", "--name", "e2e-a", "-v", "/bin/busybox", "bb", "true")).toContain(
      "cannot mount volume over existing file, file exists",
    );
    expect(await stderrOf("create", "--name", "e2e-a", "-v", "e2e-v:/bin/busybox", "bb", "true")).toContain(
      "is not directory",
    );
    expect((await docker(["inspect", "e2e-a"])).code).toBe(1);
  });
});

describe("anonymous volumes", () => {
  const anonymous = async () =>
    (await ok(["volume", "ls", "-q", "--filter", "label=com.docker.volume.anonymous"])).split("\n").filter(Boolean);

  test("go with --rm and rm -v, and stay without", async () => {
    const before = await anonymous();
    await once(["-v", "/d"], "true");
    await ok(["run", "--name", "e2e-a", "--net", "none", "-v", "/d", "--mount", "type=volume,dst=/m", "bb", "true"]);
    expect((await anonymous()).length).toBe(before.length + 2);
    await ok(["rm", "-v", "e2e-a"]);
    expect(await anonymous()).toEqual(before);
    await ok(["create", "--name", "e2e-a", "-v", "/d", "bb", "true"]);
    const [{ Name }] = (await engine.inspect<Mounted[]>("e2e-a", "{{json .Mounts}}")) as [Mounted];
    await ok(["rm", "e2e-a"]);
    expect(await anonymous()).toContain(Name);
    await ok(["volume", "rm", Name]);
  });

  test("shared by --volumes-from outlive the container they were made for, read-only where asked", async () => {
    await ok(["run", "--name", "e2e-a", "--net", "none", "-v", "/d", "bb", "sh", "-c", "echo shared > /d/f"]);
    await ok(["create", "--name", "e2e-b", "--volumes-from", "e2e-a:ro", "bb", "sh", "-c", "cat /d/f; touch /d/g"]);
    await ok(["rm", "-v", "e2e-a"]);
    const { stdout, stderr } = await docker(["start", "-a", "e2e-b"]);
    expect({ stdout, stderr }).toEqual({ stdout: "shared\n", stderr: "touch: /d/g: Read-only file system\n" });
    const [{ Name, RW }] = (await engine.inspect<Mounted[]>("e2e-b", "{{json .Mounts}}")) as [Mounted];
    expect(RW).toBe(false);
    await ok(["rm", "-v", "e2e-b"]);
    expect(await anonymous()).not.toContain(Name);
  });

  test("prune takes those no container has, and named ones only with -a", async () => {
    await ok(["volume", "create", "e2e-v"]);
    await ok(["volume", "create", "--label", "keep", "e2e-w"]);
    const made = await ok(["volume", "create"]);
    await ok(["create", "--name", "e2e-a", "-v", "/d", "bb", "true"]);
    const [{ Name }] = (await engine.inspect<Mounted[]>("e2e-a", "{{json .Mounts}}")) as [Mounted];
    if (OTHER_ENGINE !== undefined) return;
    const first = await ok(["volume", "prune", "-f"]);
    expect(first).toContain(made);
    expect(first).not.toContain("e2e-v");
    const second = await ok(["volume", "prune", "-af", "--filter", "label!=keep"]);
    expect(second).toContain("e2e-v");
    expect(second).not.toContain("e2e-w");
    expect(await anonymous()).toEqual([Name]);
  });
});

describe("parts of a volume", () => {
  test("a folder or file of it, never anything outside", async () => {
    await once(
      ["-v", "e2e-v:/v"],
      "sh",
      "-c",
      "mkdir /v/sub; echo in > /v/sub/f; ln -s sub /v/l; ln -s /etc /v/out; ln -s ../.. /v/up",
    );
    const part = (subpath: string) => ["--mount", `type=volume,src=e2e-v,dst=/p,volume-subpath=${subpath}`];
    expect(await once(part("sub"), "cat", "/p/f")).toBe("in");
    expect(await once(part("l"), "cat", "/p/f")).toBe("in");
    expect(await once(part("sub/f"), "cat", "/p")).toBe("in");
    for (const subpath of ["out", "up"])
      expect(await stderrOf("run", "--rm", ...part(subpath), "bb", "true")).toContain(
        "path concatenation escapes the base directory",
      );
    expect(await stderrOf("run", "--rm", ...part("none"), "bb", "true")).toContain("/e2e-v/_data/none: no such file");
  });
});

describe("a local volume's device", () => {
  test("memory: mounted while somebody uses it, with its options", async () => {
    await ok(["volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m,uid=7", "e2e-v"]);
    await ok(["run", "-d", "--name", "e2e-a", "--net", "none", "-v", "e2e-v:/d", "bb", "sleep", "1000"]);
    await once(["-v", "e2e-v:/d"], "sh", "-c", "echo both > /d/f");
    expect(await ok(["exec", "e2e-a", "sh", "-c", "cat /d/f; stat -c %u /d; df /d | tail -1 | awk '{print $2}'"])).toBe(
      "both\n7\n1024",
    );
    await ok(["rm", "-f", "e2e-a"]);
    expect(await once(["-v", "e2e-v:/d"], "ls", "/d")).toBe("");
  });

  test("a folder of the host", async () => {
    const side = join(engine.folder, "bound");
    mkdirSync(side);
    await ok(["volume", "create", "-o", "type=none", "-o", "o=bind", "-o", `device=${side}`, "e2e-v"]);
    await once(["-v", "e2e-v:/d"], "touch", "/d/made");
    expect(readdirSync(side)).toEqual(["made"]);
  });

  test("one that cannot be mounted is told at the start, and nothing stays", async () => {
    await ok(["volume", "create", "-o", "type=none", "-o", "o=bind", "-o", "device=/nonexist", "e2e-v"]);
    const { code, stderr } = await docker(["run", "--rm", "-v", "e2e-v:/d", "bb", "true"]);
    expect(code).toBe(127);
    expect(stderr).toContain("failed to mount local volume: mount /nonexist:");
    expect(stderr).toContain("flags: 0x1000: no such file or directory");
  });
});

describe.skipIf(OTHER_ENGINE !== undefined)("a volume plug-in", () => {
  test("mounts while a container runs, over the daemon's death too, and fails in its own words", async () => {
    const place = join(plugins, "volumes");
    await using plugin = await TestPlugin.start(join(plugins, "e2e-plug.sock"), place);
    await ok(["volume", "create", "-d", "e2e-plug", "-o", "size=1", "e2e-v"]);
    expect(await ok(["volume", "inspect", "-f", "{{.Driver}} {{.Scope}} {{.Mountpoint}} {{.Status}}", "e2e-v"])).toBe(
      `e2e-plug global ${place}/e2e-v map[files:1]`,
    );
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
      "echo in > /d/f; sleep 1000",
    ]);
    await until("it is written", async () => existsSync(join(place, "e2e-v/f")));
    expect([...(plugin.volumes.get("e2e-v")?.mounted ?? [])]).toEqual([
      await ok(["inspect", "-f", "{{.Id}}", "e2e-a"]),
    ]);
    await engine.own.kill();
    await engine.own.start();
    await ok(["rm", "-f", "e2e-a"]);
    await until("it is unmounted", async () => plugin.volumes.get("e2e-v")?.mounted.size === 0);
    plugin.failing.set("VolumeDriver.Mount", { status: 500, err: "pool is offline" });
    const { code, stderr } = await docker(["run", "--rm", "-v", "e2e-v:/d", "bb", "true"]);
    expect({ code, stderr }).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("VolumeDriver.Mount: pool is offline"),
    });
    plugin.failing.clear();
    await ok(["volume", "rm", "e2e-v"]);
    expect(existsSync(join(place, "e2e-v"))).toBe(false);
    expect(plugin.methods("e2e-v").filter((method) => method !== "Get")).toEqual([
      "Create",
      "Mount",
      "Unmount",
      "Mount",
      "Remove",
    ]);
  });

  test("that is gone keeps its volumes on record, listed with a warning", async () => {
    {
      await using _plugin = await TestPlugin.start(join(plugins, "e2e-gone.sock"), join(plugins, "volumes"));
      await ok(["volume", "create", "-d", "e2e-gone", "e2e-v"]);
    }
    const { stdout, stderr } = await engine.havre(["volume", "ls", "--filter", "name=^e2e-v$"]);
    expect(stdout).toMatch(/^e2e-gone +e2e-v$/m);
    expect(stderr).toContain("WARNING: Volume plug-in e2e-gone cannot be reached");
    expect(await stderrOf("volume", "rm", "e2e-v")).toContain("remove e2e-v: ");
    expect(await ok(["volume", "rm", "-f", "e2e-v"])).toBe("e2e-v");
  }, 30_000);
});

describe.skipIf(OTHER_ENGINE !== undefined)("a daemon that is killed", () => {
  test("finds its volumes, mounted ones too, and takes up data that is not on record", async () => {
    await ok(["volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "e2e-v"]);
    await ok([
      "run",
      "-d",
      "--name",
      "e2e-a",
      "--net",
      "none",
      "-v",
      "e2e-v:/d",
      "-v",
      "e2e-w:/w",
      "bb",
      "sleep",
      "1000",
    ]);
    await ok(["exec", "e2e-a", "sh", "-c", "echo kept > /d/f; echo too > /w/f"]);
    const volumes = join(engine.own.root, "volumes");
    await engine.own.kill();
    for (const name of ["e2e-stray", "e2e-empty"]) mkdirSync(join(volumes, name, "_data"), { recursive: true });
    writeFileSync(join(volumes, "e2e-stray/_data/f"), "somebody's\n");
    mkdirSync(join(volumes, ".staged/half"), { recursive: true });
    await engine.own.start();
    expect(await once(["-v", "e2e-v:/d", "-v", "e2e-w:/w"], "cat", "/d/f", "/w/f")).toBe("kept\ntoo");
    expect(await ok(["volume", "ls", "-q", "--filter", "name=^e2e-"])).toBe("e2e-stray\ne2e-v\ne2e-w");
    expect(await once(["-v", "e2e-stray:/d"], "cat", "/d/f")).toBe("somebody's");
    expect(existsSync(join(volumes, ".staged"))).toBe(false);
    await ok(["rm", "-f", "e2e-a"]);
    expect(await once(["-v", "e2e-v:/d"], "ls", "/d")).toBe("");
  });

  test("while it makes and removes containers with volumes leaves none behind", async () => {
    const before = await ok(["volume", "ls", "-q"]);
    // Where in its work the daemon is killed is for chance to say: wherever it is, nothing may stay.
    for (let round = 0; round < 3; round++) {
      let ended = false;
      const run = docker(["run", "--rm", "--net", "none", "-v", "/d", "bb", "true"]).finally(() => {
        ended = true;
      });
      await until("it has begun", async () => ended || (await ok(["volume", "ls", "-q"])) !== before, { interval: 1 });
      await engine.own.kill();
      await run;
      await engine.own.start();
      await engine.removeContainers();
      await until("volumes are gone", async () => (await ok(["volume", "ls", "-q"])) === before);
    }
  }, 60_000);
});

test("system df counts what is in volumes and who has them", async () => {
  await once(["-v", "e2e-v:/d"], "sh", "-c", "head -c 5000 /dev/zero > /d/f");
  await ok(["create", "--name", "e2e-a", "-v", "e2e-v:/d", "bb", "true"]);
  const { Volumes } = (await (await engine.api("GET", "/system/df?type=volume")).json()) as {
    Volumes: { Name: string; UsageData: { Size: number; RefCount: number } }[];
  };
  expect(Volumes.find(({ Name }) => Name === "e2e-v")?.UsageData).toEqual({ Size: 5000, RefCount: 1 });
});

test("docker cp reaches a volume of a container that does not run, mounted or not", async () => {
  await ok(["volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "e2e-w"]);
  await once(["-v", "e2e-v:/d"], "mkdir", "/d/sub");
  const part = "type=volume,src=e2e-v,dst=/p,volume-subpath=sub";
  await ok(["create", "--name", "e2e-a", "-v", "e2e-v:/d", "--mount", part, "-v", "e2e-w:/w", "bb", "ls", "/w"]);
  const file = engine.file("cp-in", "copied\n");
  for (const place of ["d", "p", "w"]) await ok(["cp", file, `e2e-a:/${place}/f`]);
  expect(await once(["-v", "e2e-v:/d"], "cat", "/d/f", "/d/sub/f")).toBe("copied\ncopied");
  // Memory that nobody holds any more is empty again, and nothing of it is written below the mount.
  expect(await ok(["start", "-a", "e2e-a"])).toBe("");
});

test.skipIf(OTHER_ENGINE !== undefined)("havre volume does what docker volume does", async () => {
  const havre = async (...args: string[]) => (await engine.havre(["volume", ...args])).stdout;
  expect(await havre("create", "--label", "a=b", "e2e-v")).toBe("e2e-v\n");
  expect(await havre("ls", "--filter", "name=^e2e-")).toBe("DRIVER    VOLUME NAME\nlocal     e2e-v\n");
  expect(await havre("ls", "--filter", "label=a", "--format", "{{.Name}} {{.Labels}}")).toBe("e2e-v a=b\n");
  expect(await havre("inspect", "--format", "{{.Scope}}", "e2e-v")).toBe("local\n");
  expect(JSON.parse(await havre("ls", "--json", "--filter", "name=^e2e-"))).toMatchObject([{ Name: "e2e-v" }]);
  expect(await havre("rm", "e2e-v")).toBe("e2e-v\n");
  expect((await engine.havre(["volume", "rm", "e2e-v"])).stderr).toContain("get e2e-v: no such volume");
  expect(await havre("prune", "-f")).toContain("Total reclaimed space: ");
});
