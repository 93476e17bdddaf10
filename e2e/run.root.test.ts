import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { useEngine } from "./harness/mod.ts";

const engine = useEngine();
const { docker, ok } = { docker: engine.docker.bind(engine), ok: engine.ok.bind(engine) };

/** What a shell script prints inside a new container. */
const inside = (script: string, ...flags: string[]): Promise<string> =>
  ok(["run", "--rm", "--net", "none", ...flags, "bb", "sh", "-c", script]);

describe("docker run", () => {
  test("prints what the process prints, on the stream it chose", async () => {
    expect(await docker(["run", "--rm", "bb", "sh", "-c", "echo out; echo err >&2"])).toEqual({
      code: 0,
      stdout: "out\n",
      stderr: "err\n",
    });
  });

  test("exits with the process's code, and 128 + signal", async () => {
    expect((await docker(["run", "--rm", "bb", "sh", "-c", "exit 3"])).code).toBe(3);
    expect((await docker(["run", "--rm", "--init", "bb", "sh", "-c", "kill -9 $$"])).code).toBe(137);
    expect((await docker(["run", "--rm", "--init", "bb", "sh", "-c", "kill -TERM $$"])).code).toBe(143);
  });

  test("127 and 126: no such command, not executable; nothing is left", async () => {
    const missing = await docker(["run", "--rm", "bb", "nothing-here"]);
    expect(missing.code).toBe(127);
    expect(missing.stderr).toContain('exec: "nothing-here": executable file not found in $PATH');
    const data = await docker(["run", "--rm", "bb", "/etc/passwd"]);
    expect(data.code).toBe(126);
    expect(data.stderr).toContain("permission denied");
    expect(await ok(["ps", "-aq", "--filter", engine.filter])).toBe("");
  });

  test("125: what cannot be asked", async () => {
    for (const flags of [
      ["--memory", "1k"],
      ["--cpus", "-1"],
      ["--net", "container:nobody"],
      ["-v", "relative/path:x"],
    ]) {
      const outcome = await docker(["run", "--rm", ...flags, "bb", "true"]);
      expect({ flags, code: outcome.code }).toEqual({ flags, code: 125 });
      expect(outcome.stderr).not.toBe("");
    }
  });

  test("an image that is not there", async () => {
    const outcome = await docker(["run", "--rm", "--pull", "never", "e2e-nowhere:1", "true"]);
    expect(outcome.code).toBe(125);
    expect(outcome.stderr).toContain("No such image: e2e-nowhere:1");
  });

  test("standard input reaches the process and ends", async () => {
    expect(await ok(["run", "-i", "--rm", "bb", "cat"], { input: "one\ntwo" })).toBe("one\ntwo");
    expect(await ok(["run", "--rm", "bb", "cat"], { input: "not attached" })).toBe("");
    const megabytes = Buffer.alloc(8_000_000, "0123456789abcdef\n");
    const back = await engine.dockerBytes(["run", "-i", "--rm", "bb", "cat"], { input: megabytes });
    expect(back.stdout.equals(megabytes)).toBe(true);
  });

  test("output goes on after standard input's half-close", async () => {
    expect(
      await ok(["run", "-i", "--rm", "bb", "sh", "-c", "cat >/dev/null; sleep 0.3; echo after"], { input: "x" }),
    ).toBe("after");
  });

  test("environment, labels' absence, working folder, host name", async () => {
    expect(
      await inside("echo $A-$B; pwd; hostname", "-e", "A=1", "-e", "B=x y", "-w", "/new/folder", "-h", "box"),
    ).toBe("1-x y\n/new/folder\nbox");
    const env = await inside("env");
    expect(
      env
        .split("\n")
        .map((line) => line.split("=")[0])
        .sort(),
    ).toEqual(["HOME", "HOSTNAME", "PATH", "PWD", "SHLVL"].sort());
    expect(env).toContain("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  });

  test("an environment file, and the client's own variable", async () => {
    const file = engine.file("env", "# comment\nFROM_FILE=yes\nPASSED\n");
    expect(
      await ok(["run", "--rm", "--env-file", file, "-e", "GIVEN", "bb", "sh", "-c", "echo $FROM_FILE $PASSED $GIVEN"], {
        env: { PASSED: "p", GIVEN: "g" },
      }),
    ).toBe("yes p g");
  });

  test("entry point, given and emptied", async () => {
    expect(await ok(["run", "--rm", "--entrypoint", "echo", "bb", "a", "b"])).toBe("a b");
    expect(await ok(["run", "--rm", "--entrypoint", "", "bb", "echo", "c"])).toBe("c");
  });

  test("user and groups by number and by name", async () => {
    expect(await inside("id -u; id -g", "-u", "1000:2000")).toBe("1000\n2000");
    expect(await inside("id -un; echo $HOME", "-u", "nobody")).toBe("nobody\n/");
    expect(await inside("id -G", "-u", "5:6", "--group-add", "7", "--group-add", "nogroup")).toBe("6 7 65534");
    const unknown = await docker(["run", "--rm", "-u", "stranger", "bb", "true"]);
    expect(unknown.code).toBe(125);
    expect(unknown.stderr).toContain("unable to find user stranger");
  });

  test("process 1 is the command; with --init its parent", async () => {
    expect(await inside("echo $$")).toBe("1");
    const [shell, init] = (await inside("echo $$; cat /proc/1/comm", "--init")).split("\n");
    expect(Number(shell)).toBeGreaterThan(1);
    expect(init).not.toBe("sh");
  });

  test("--init reaps orphans", async () => {
    const script =
      "sh -c 'sh -c \"exit 0\" & exec true'; for i in 1 2 3 4 5 6 7 8 9 10; do ps -o stat | grep -q Z || exit 0; sleep 0.1; done; exit 1";
    expect((await docker(["run", "--rm", "--init", "bb", "sh", "-c", script])).code).toBe(0);
  });

  test("--cidfile holds the id; an existing one is refused", async () => {
    const file = join(engine.folder, "cid");
    const id = await ok(["run", "-d", "--cidfile", file, "bb", "true"]);
    expect(readFileSync(file, "utf8")).toBe(id);
    expect((await docker(["run", "--cidfile", file, "bb", "true"])).code).toBe(125);
  });
});

describe("the container's file system", () => {
  test("starts from the image each time", async () => {
    expect(await inside("touch /new; ls /new")).toBe("/new");
    expect(await inside("ls / | grep -c new || true")).toBe("0");
  });

  test("--read-only root, with tmpfs and its options", async () => {
    const script = "touch /x 2>&1; touch /t/y && ls /t; stat -c %a /t; df -k /t | tail -1 | awk '{print $2}'";
    expect(await inside(script, "--read-only", "--tmpfs", "/t:size=1m,mode=700")).toBe(
      "touch: /x: Read-only file system\ny\n700\n1024",
    );
  });

  test("binds, read-write and read-only, of folders and files", async () => {
    const folder = join(engine.folder, "bound");
    mkdirSync(folder);
    writeFileSync(join(folder, "f"), "from outside\n");
    expect(await inside("cat /b/f; echo in > /b/g; cat /one", "-v", `${folder}:/b`, "-v", `${folder}/f:/one`)).toBe(
      "from outside\nfrom outside",
    );
    expect(readFileSync(join(folder, "g"), "utf8")).toBe("in\n");
    expect(await inside("touch /b/h 2>&1 || true", "-v", `${folder}:/b:ro`)).toBe("touch: /b/h: Read-only file system");
    expect(await inside("touch /b/h 2>&1 || true", "--mount", `type=bind,src=${folder},dst=/b,readonly`)).toBe(
      "touch: /b/h: Read-only file system",
    );
  });

  test("-v makes a missing source, --mount refuses it and names it", async () => {
    const folder = join(engine.folder, "made");
    expect(await inside("ls -A /m", "-v", `${folder}:/m`)).toBe("");
    const gone = join(engine.folder, "gone");
    const refused = await docker(["run", "--rm", "--mount", `type=bind,src=${gone},dst=/m`, "bb", "true"]);
    expect(refused.code).toBe(125);
    expect(refused.stderr).toContain(`bind source path does not exist: ${gone}`);
  });

  test("--shm-size", async () => {
    expect(await inside("df -k /dev/shm | tail -1 | awk '{print $2}'", "--shm-size", "8m")).toBe("8192");
    expect(await inside("df -k /dev/shm | tail -1 | awk '{print $2}'")).toBe("65536");
  });

  test("device nodes", async () => {
    expect(await inside("ls /dev | grep -vx core | sort | xargs")).toBe(
      "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero",
    );
    expect(
      await inside("head -c 4 /dev/nul2 | wc -c; ls -l /dev/nul2 | cut -c1", "--device", "/dev/zero:/dev/nul2:r"),
    ).toBe("4\nc");
  });

  test("hosts, resolver and host name files", async () => {
    const flags = [
      "--add-host",
      "db:192.0.2.7",
      "--dns",
      "192.0.2.53",
      "--dns-search",
      "example.test",
      "--dns-option",
      "ndots:2",
    ];
    const said = await ok([
      "run",
      "--rm",
      ...flags,
      "-h",
      "box",
      "bb",
      "sh",
      "-c",
      "grep db /etc/hosts; cat /etc/hostname; cat /etc/resolv.conf",
    ]);
    expect(said).toMatch(/^192\.0\.2\.7\tdb\nbox\n/);
    for (const line of ["nameserver 192.0.2.53", "search example.test", "options ndots:2"])
      expect(said).toContain(line);
  });
});

describe("isolation", () => {
  test("own processes, and only the interfaces asked for", async () => {
    expect(await inside("ls /proc | grep -c '^[0-9]*$'")).toMatch(/^[2345]$/);
    expect(await inside("ls /sys/class/net")).toBe("lo");
    const bridged = await ok(["run", "--rm", "bb", "sh", "-c", "ls /sys/class/net; ip route | grep -c default"]);
    expect(bridged).toBe("eth0\nlo\n1");
  });

  test("two containers on the bridge reach each other and their gateway", async () => {
    await ok(["run", "-d", "--name", "e2e-peer", "bb", "sh", "-c", "echo hi | nc -l -p 7777; sleep 60"]);
    const address = await ok(["inspect", "-f", "{{.NetworkSettings.IPAddress}}", "e2e-peer"]);
    expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    const script = `until nc ${address} 7777 </dev/null | grep hi; do sleep 0.1; done; ping -c1 -W2 $(ip route | awk '/default/{print $3}') | grep -c '1 packets received'`;
    expect(await ok(["run", "--rm", "bb", "timeout", "10", "sh", "-c", script])).toBe("hi\n1");
  });

  test("--net container: shares the other's", async () => {
    await ok(["run", "-d", "--name", "e2e-owner", "-h", "owner", "bb", "sleep", "100"]);
    const address = "ip -4 addr show eth0 | awk '/inet/{print $2}'";
    const own = await ok(["exec", "e2e-owner", "sh", "-c", address]);
    expect(await ok(["run", "--rm", "--net", "container:e2e-owner", "bb", "sh", "-c", `hostname; ${address}`])).toBe(
      `owner\n${own}`,
    );
  });

  test("--net host, --pid host, --uts host, --ipc container:", async () => {
    const own = (name: string): Promise<string> =>
      ok(["run", "--rm", `--${name}`, "host", "bb", "readlink", `/proc/self/ns/${name}`]);
    const pid = engine.daemon === undefined ? undefined : readFileSync("/proc/sys/kernel/hostname", "utf8").trim();
    if (pid !== undefined) expect(await ok(["run", "--rm", "--uts", "host", "bb", "hostname"])).toBe(pid);
    expect(await own("net")).toBe(await ok(["run", "--rm", "--net", "host", "bb", "readlink", "/proc/1/ns/net"]));
    expect(
      Number(await ok(["run", "--rm", "--pid", "host", "bb", "sh", "-c", "ls /proc | grep -c '^[0-9]*$'"])),
    ).toBeGreaterThan(5);
    await ok(["run", "-d", "--name", "e2e-ipc", "--ipc", "shareable", "bb", "sleep", "100"]);
    expect(await ok(["run", "--rm", "--ipc", "container:e2e-ipc", "bb", "readlink", "/proc/self/ns/ipc"])).toBe(
      await ok(["exec", "e2e-ipc", "readlink", "/proc/self/ns/ipc"]),
    );
    expect(await ok(["run", "--rm", "--pid", "container:e2e-ipc", "bb", "cat", "/proc/1/comm"])).toBe("sleep");
  });

  test("capabilities: default, dropped, added, privileged", async () => {
    const effective = "awk '/CapEff/{print $2}' /proc/self/status";
    expect(await inside(effective)).toBe("00000000a80425fb");
    expect(await inside(effective, "--cap-drop", "ALL")).toBe("0000000000000000");
    expect(await inside(effective, "--cap-drop", "ALL", "--cap-add", "NET_ADMIN")).toBe("0000000000001000");
    expect(BigInt(`0x${await inside(effective, "--privileged")}`)).toBeGreaterThan(0x10_0000_0000n);
    expect(await inside(effective, "-u", "1000")).toBe("0000000000000000");
  });

  test("seccomp and no-new-privileges", async () => {
    const seccomp = "awk '/^Seccomp:/{print $2}' /proc/self/status";
    expect(await inside(seccomp)).toBe("2");
    expect(await inside(seccomp, "--security-opt", "seccomp=unconfined")).toBe("0");
    expect(await inside("awk '/NoNewPrivs/{print $2}' /proc/self/status", "--security-opt", "no-new-privileges")).toBe(
      "1",
    );
    expect(await inside("unshare -m true 2>&1 || true", "--cap-add", "SYS_ADMIN")).toBe("");
    expect(await inside("unshare -U true 2>&1 || true")).toContain("Operation not permitted");
  });

  test("a seccomp profile from a file", async () => {
    const profile = {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }],
    };
    const file = engine.file("seccomp.json", JSON.stringify(profile));
    expect(await inside("mkdir /x 2>&1 || true", "--security-opt", `seccomp=${file}`)).toContain(
      "Operation not permitted",
    );
  });

  test("what the kernel tells of the host is hidden", async () => {
    expect(
      await inside(
        "cat /proc/kcore 2>/dev/null | head -c 1 | wc -c; ls -A /proc/acpi /sys/firmware 2>/dev/null | grep -c '^[a-z]' || true",
      ),
    ).toBe("0\n0");
    expect(
      await inside("(echo x > /proc/sys/kernel/domainname) 2>&1 || true; mount -o remount,rw /proc/sys 2>&1 || true"),
    ).toMatch(/Read-only file system[\s\S]*(permission denied|Operation not permitted)/i);
  });

  test("sysctls", async () => {
    expect(
      await inside(
        "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax",
        "--sysctl",
        "net.ipv4.ip_forward=0",
        "--sysctl",
        "kernel.msgmax=4096",
      ),
    ).toBe("0\n4096");
    expect((await docker(["run", "--rm", "--sysctl", "kernel.hostname=x", "bb", "true"])).code).not.toBe(0);
  });
});
