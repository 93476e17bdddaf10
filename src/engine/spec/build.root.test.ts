import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { MountPoint } from "../container.ts";
import { Bench, specOf } from "./testing.ts";

let bench: Bench;
beforeAll(() => {
  bench = new Bench();
});
afterAll(() => bench[Symbol.dispose]());

function bind(source: string, destination: string, change: Partial<MountPoint> = {}): MountPoint {
  return { type: "bind", source, destination, mode: "", writable: true, propagation: "rprivate", ...change };
}

/** Output of a script with mounts; throws when it fails. */
function shWith(mounts: readonly MountPoint[], script: string, hostConfig = {}): string {
  const outcome = bench.run(specOf({ Cmd: ["/bin/sh", "-c", script] }, hostConfig, mounts));
  if (outcome.code !== 0) throw new Error(`exit ${outcome.code}: ${outcome.stderr}${outcome.stdout}`);
  return outcome.stdout.trimEnd();
}

describe("process", () => {
  test("runs to its end with its exit code", () => {
    expect(bench.run(specOf({ Cmd: ["/bin/true"] }))).toMatchObject({ code: 0, stderr: "" });
    expect(bench.run(specOf({ Entrypoint: ["/bin/sh", "-c"], Cmd: ["exit 7"] })).code).toBe(7);
  });

  test("has the default environment, its own on top, and HOME of its user", () => {
    const env = bench.sh("env", {}, { Hostname: "h1", Env: ["A=1", "A=2", "PATH=/bin"] }).split("\n");
    expect(env).toEqual(expect.arrayContaining(["HOSTNAME=h1", "A=2", "PATH=/bin", "HOME=/root"]));
    expect(bench.sh("echo $HOME", {}, { User: "ann" })).toBe("/home/ann");
  });

  test.each([
    ["", "uid=0(root) gid=0(root) groups=0(root)"],
    ["ann", "uid=1000(ann) gid=1001(ann) groups=50(staff),1001(ann),29(audio)"],
    ["1000", "uid=1000(ann) gid=1001(ann) groups=50(staff),1001(ann),29(audio)"],
    ["ann:video", "uid=1000(ann) gid=44(video) groups=44(video)"],
    ["77:88", "uid=77 gid=88 groups=88"],
    ["77", "uid=77 gid=0(root) groups=0(root)"],
  ])("user %p is %s", (User, expected) => {
    const [ids = "", groups = ""] = bench.sh("id", {}, { User }).split(" groups=");
    const [expectedIds = "", expectedGroups = ""] = expected.split(" groups=");
    expect(ids).toBe(expectedIds);
    expect(groups.split(",").sort()).toEqual(expectedGroups.split(",").sort());
  });

  test("has extra groups", () => {
    expect(bench.sh("id -G", { GroupAdd: ["video", "4242"] }, { User: "nobody" })).toBe("65534 44 4242");
  });

  test("an unknown user is refused in Docker's words", () => {
    expect(() => bench.run(specOf({ Cmd: ["/bin/true"], User: "nosuch" }))).toThrow(
      "unable to find user nosuch: no matching entries in passwd file",
    );
    expect(() => bench.run(specOf({ Cmd: ["/bin/true"], User: "0:nosuch" }))).toThrow(
      "unable to find group nosuch: no matching entries in group file",
    );
  });

  test("works in its folder, which is made when it is missing", () => {
    expect(bench.sh("pwd", {}, { WorkingDir: "/srv/deep/er" })).toBe("/srv/deep/er");
  });

  test("has the ulimits asked for", () => {
    const Ulimits = [
      { Name: "nofile", Soft: 100, Hard: 200 },
      { Name: "core", Soft: -1, Hard: -1 },
    ];
    expect(bench.sh("ulimit -Sn; ulimit -Hn; ulimit -c", { Ulimits })).toBe("100\n200\nunlimited");
  });

  test("has its score for the kernel's out-of-memory choice", () => {
    expect(bench.sh("cat /proc/self/oom_score_adj", { OomScoreAdj: 500 })).toBe("500");
  });

  test("starts below an init when asked", () => {
    const init = join(bench.folder, "init");
    writeFileSync(init, '#!/bin/sh\n[ "$1" = -- ] && shift\necho init $$\n"$@"\n', { mode: 0o755 });
    const outcome = bench.run(specOf({ Cmd: ["/bin/echo", "child"] }, { Init: true }), { initPath: init });
    expect(outcome.stdout).toBe("init 1\nchild\n");
  });
});

describe("what it may do", () => {
  const mask = (name: string) => `sed -n 's/^${name}:[[:space:]]*//p' /proc/self/status`;

  test("Docker's capabilities by default", () => {
    expect(bench.sh(mask("CapEff"))).toBe("00000000a80425fb");
    expect(bench.sh(mask("CapBnd"))).toBe("00000000a80425fb");
  });

  test("added and dropped capabilities", () => {
    expect(bench.sh(mask("CapEff"), { CapDrop: ["ALL"], CapAdd: ["net_admin"] })).toBe("0000000000001000");
    expect(bench.sh(mask("CapEff"), { CapDrop: ["CAP_CHOWN"] })).toBe("00000000a80425fa");
  });

  test("a user who is not root has none in effect", () => {
    expect(bench.sh(mask("CapEff"), {}, { User: "ann" })).toBe("0000000000000000");
  });

  test("a system call filter, unless unconfined or privileged", () => {
    expect(bench.sh(mask("Seccomp"))).toBe("2");
    expect(bench.sh(mask("Seccomp"), { SecurityOpt: ["seccomp=unconfined"] })).toBe("0");
    expect(bench.sh(mask("Seccomp"), { Privileged: true })).toBe("0");
  });

  test("the filter refuses a new user namespace and lets an ordinary fork through", () => {
    expect(bench.sh("unshare -U true 2>&1 || (echo refused)")).toContain("refused");
    expect(bench.sh("unshare -U true && echo made", { SecurityOpt: ["seccomp=unconfined"] })).toBe("made");
  });

  test("a filter of the user's own, with names no library knows", () => {
    const profile = {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [
        { names: ["mkdir", "mkdirat", "no_such_call"], action: "SCMP_ACT_ERRNO", errnoRet: 13 },
        { name: "chroot", action: "SCMP_ACT_ERRNO", includes: { caps: ["CAP_SYS_BOOT"] } },
      ],
    };
    const SecurityOpt = [`seccomp=${JSON.stringify(profile)}`];
    expect(bench.sh("mkdir /tmp/x 2>&1 || true", { SecurityOpt })).toContain("Permission denied");
    expect(bench.sh("chroot / /bin/echo in", { SecurityOpt })).toBe("in");
  });

  test("no new privileges when asked", () => {
    expect(bench.sh(mask("NoNewPrivs"))).toBe("0");
    expect(bench.sh(mask("NoNewPrivs"), { SecurityOpt: ["no-new-privileges"] })).toBe("1");
  });

  test("hidden and read-only kernel files, none of them privileged", () => {
    expect(bench.sh("wc -c < /proc/timer_list; ls /sys/firmware; echo 1 > /proc/sysrq-trigger || echo no")).toBe(
      "0\nno",
    );
    expect(bench.sh("touch /sys/x 2>&1 || true")).toContain("Read-only file system");
    expect(bench.sh("ls /sys/firmware | wc -l", { Privileged: true })).not.toBe("0");
    expect(bench.sh("awk '$2==\"/sys\" {print $4}' /proc/mounts", { Privileged: true })).toStartWith("rw");
  });

  test("kernel settings of its own network", () => {
    expect(bench.sh("cat /proc/sys/net/core/somaxconn", { Sysctls: { "net.core.somaxconn": "99" } })).toBe("99");
    expect(bench.sh("cat /proc/sys/net/ipv4/ip_unprivileged_port_start")).toBe("0");
  });
});

describe("devices", () => {
  test("the harmless ones, and no others", () => {
    expect(
      bench.sh("head -c 4 /dev/urandom | wc -c; echo x > /dev/null; ls -l /dev/ptmx | cut -c1").split("\n"),
    ).toEqual(["4", "l"]);
    expect(bench.sh("mknod /tmp/loop b 7 0; cat /tmp/loop 2>&1 || true; rm /tmp/loop")).toContain(
      "Operation not permitted",
    );
  });

  test("one more with rights, under another name", () => {
    const Devices = [{ PathOnHost: "/dev/null", PathInContainer: "/dev/mine", CgroupPermissions: "r" }];
    expect(bench.sh("stat -c '%F %t:%T' /dev/mine; cat /dev/mine", { Devices })).toBe("character special file 1:3");
  });

  test("a rule by number", () => {
    const DeviceCgroupRules = ["c 10:200 rwm"];
    const script = "mknod /tmp/tun c 10 200; cat /tmp/tun 2>&1 || true; rm /tmp/tun";
    expect(bench.sh(script)).toContain("Operation not permitted");
    expect(bench.sh(script, { DeviceCgroupRules })).not.toContain("Operation not permitted");
  });

  test("every device of the host when privileged", () => {
    const host = readFileSync("/proc/devices", "utf8").includes("mem");
    expect(host).toBe(true);
    expect(bench.sh("[ -c /dev/kmsg ] && echo there", { Privileged: true })).toBe("there");
    expect(bench.sh("[ -c /dev/kmsg ] || echo absent")).toBe("absent");
  });

  test("what is not a device is refused in Docker's words", () => {
    const Devices = [{ PathOnHost: "/etc/passwd", PathInContainer: "/dev/x", CgroupPermissions: "rwm" }];
    expect(() => bench.run(specOf({ Cmd: ["/bin/true"] }, { Devices }))).toThrow(
      'error gathering device information while adding custom device "/etc/passwd": not a device node',
    );
  });
});

describe("namespaces", () => {
  const inode = (name: string) => `readlink /proc/self/ns/${name}`;
  const ofHost = (name: string) => execFileSync("readlink", [`/proc/self/ns/${name}`], { encoding: "utf8" }).trim();

  test("own ones by default", () => {
    const mine = bench.sh(["pid", "net", "ipc", "uts", "mnt"].map(inode).join(";"));
    for (const name of ["pid", "net", "ipc", "uts", "mnt"]) expect(mine).not.toContain(ofHost(name));
    expect(bench.sh(inode("cgroup"))).toBe(ofHost("cgroup"));
  });

  test.each([
    ["pid", { PidMode: "host" }],
    ["net", { NetworkMode: "host" }],
    ["ipc", { IpcMode: "host" }],
    ["uts", { UTSMode: "host" }],
  ])("the host's %s", (name, hostConfig) => {
    expect(bench.sh(inode(name), hostConfig)).toBe(ofHost(name));
  });

  test("a private cgroup namespace", () => {
    expect(bench.sh(inode("cgroup"), { CgroupnsMode: "private" })).not.toBe(ofHost("cgroup"));
  });

  test("another process's pid and ipc namespaces", async () => {
    const other = Bun.spawn(["unshare", "--pid", "--ipc", "--fork", "sh", "-c", "echo; read line"], {
      stdin: "pipe",
      stdout: "pipe",
    });
    await other.stdout.getReader().read();
    const child = Number(readFileSync(`/proc/${other.pid}/task/${other.pid}/children`, "utf8").trim().split(" ")[0]);
    const spec = specOf(
      { Cmd: ["/bin/sh", "-c", `${inode("ipc")}; ${inode("pid")}`] },
      { PidMode: "container:x", IpcMode: "container:x" },
    );
    const namespaces = ["ipc", "pid"].map((name) =>
      execFileSync("readlink", [`/proc/${child}/ns/${name}`], { encoding: "utf8" }).trim(),
    );
    const { stdout, stderr } = bench.run(spec, { shared: { pid: child, ipc: child } });
    other.stdin.write("\n");
    other.stdin.end();
    await other.exited;
    expect(stderr).toBe("");
    expect(stdout.trim().split("\n")).toEqual(namespaces);
  });

  test("a container that does not run cannot be joined", () => {
    expect(() => bench.run(specOf({ Cmd: ["/bin/true"] }, { PidMode: "container:gone" }))).toThrow("gone");
  });

  test("host and domain name", () => {
    expect(bench.sh("hostname; cat /proc/sys/kernel/domainname", {}, { Hostname: "box", Domainname: "lan" })).toBe(
      "box\nlan",
    );
    expect(bench.sh("hostname", { UTSMode: "host" }, { Hostname: "box" })).toBe(hostname());
  });
});

describe("limits", () => {
  const v1 = existsSync("/sys/fs/cgroup/memory");
  /** Reads a file of the container's own cgroup, from inside. */
  const group = (controller: string, file: string) =>
    v1
      ? `cat /sys/fs/cgroup/${controller}/${file} 2>/dev/null || cat /sys/fs/cgroup/${controller}$(sed -n 's/.*:${controller}://p' /proc/self/cgroup)/${file}`
      : `cat /sys/fs/cgroup/${file}`;
  const read = (controller: string, oldFile: string, newFile: string, hostConfig = {}) =>
    bench.sh(group(controller, v1 ? oldFile : newFile), { CgroupnsMode: "private", ...hostConfig });

  test("memory and swap", () => {
    const hostConfig = { Memory: 64 << 20, MemorySwap: 128 << 20, MemoryReservation: 32 << 20 };
    expect(read("memory", "memory.limit_in_bytes", "memory.max", hostConfig)).toBe(String(64 << 20));
    expect(read("memory", "memory.soft_limit_in_bytes", "memory.low", hostConfig)).toBe(String(32 << 20));
    expect(read("memory", "memory.memsw.limit_in_bytes", "memory.swap.max", hostConfig)).toBe(
      String((v1 ? 128 : 64) << 20),
    );
  });

  test("processes", () => {
    expect(read("pids", "pids.max", "pids.max", { PidsLimit: 50 })).toBe("50");
    expect(read("pids", "pids.max", "pids.max", { PidsLimit: -1 })).toBe("max");
  });

  test("CPU time, shares and set", () => {
    const hostConfig = { NanoCpus: 5e8, CpuShares: 512, CpusetCpus: "0" };
    expect(read("cpu", "cpu.cfs_quota_us", "cpu.max", hostConfig)).toStartWith("50000");
    if (v1) expect(read("cpu", "cpu.shares", "", hostConfig)).toBe("512");
    expect(read("cpuset", "cpuset.cpus", "cpuset.cpus", hostConfig)).toBe("0");
  });

  test("swappiness where the kernel has it", () => {
    if (v1) expect(read("memory", "memory.swappiness", "", { MemorySwappiness: 10 })).toBe("10");
  });

  test("the cgroup lies below the parent asked for", () => {
    const parent = `${bench.cgroupParent}/under`;
    expect(bench.sh("cat /proc/self/cgroup", { CgroupParent: parent })).toContain(`${parent}/`);
    for (const base of ["", "memory", "cpu", "cpuacct", "cpuset", "devices", "freezer", "blkio", "pids", "systemd"]) {
      const folder = join("/sys/fs/cgroup", base, parent);
      if (existsSync(folder)) execFileSync("rmdir", [folder]);
    }
  });
});

describe("mounts", () => {
  const options = (destination: string) => `awk '$2=="${destination}" {print $4}' /proc/mounts`;

  test("shared memory has its size", () => {
    expect(bench.sh("df -k /dev/shm | awk 'NR==2 {print $2}'", { ShmSize: 1 << 20 })).toBe("1024");
    expect(bench.sh("[ -e /dev/shm ] && grep -c /dev/shm /proc/mounts || echo none", { IpcMode: "none" })).toBe("none");
  });

  test("the engine's files over the image's", () => {
    const file = (name: string) => {
      const path = join(bench.folder, name);
      writeFileSync(path, `${name} of the engine\n`);
      return path;
    };
    const files = { hosts: file("hosts"), hostname: file("hostname"), resolvConf: file("resolv") };
    const script = "cat /etc/hosts /etc/hostname /etc/resolv.conf; echo more >> /etc/hosts";
    const { stdout, stderr } = bench.run(specOf({ Cmd: ["/bin/sh", "-c", script] }), { files });
    expect(stderr).toBe("");
    expect(stdout).toBe("hosts of the engine\nhostname of the engine\nresolv of the engine\n");
    expect(readFileSync(files.hosts, "utf8")).toEndWith("more\n");
  });

  test("binds, writable, read-only and read-only all the way down", () => {
    const source = join(bench.folder, "bound");
    mkdirSync(join(source, "below"), { recursive: true });
    writeFileSync(join(source, "f"), "x");
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", join(source, "below")]);
    try {
      expect(shWith([bind(source, "/m")], "touch /m/new /m/below/new && ls /m")).toBe("below\nf\nnew");
      const readOnly = bind(source, "/m", { writable: false });
      const script = "touch /m/x 2>/dev/null || echo no; touch /m/below/x 2>/dev/null || echo no; ls /m/below";
      expect(shWith([readOnly], script)).toBe("no\nno\nnew");
      const Mounts = [
        { Type: "bind", Source: source, Target: "/m", ReadOnly: true, BindOptions: { ReadOnlyNonRecursive: true } },
      ];
      expect(shWith([readOnly], script, { Mounts })).toBe("no\nnew\nx");
      const flat = [{ Type: "bind", Source: source, Target: "/m", BindOptions: { NonRecursive: true } }];
      expect(shWith([bind(source, "/m")], "ls /m/below", { Mounts: flat })).toBe("");
    } finally {
      execFileSync("umount", [join(source, "below")]);
    }
  });

  test("a bind keeps what its source's mount forbids", () => {
    const source = join(bench.folder, "strict");
    mkdirSync(source);
    execFileSync("mount", ["-t", "tmpfs", "-o", "nosuid,nodev,noexec", "tmpfs", source]);
    try {
      const seen = shWith([bind(source, "/m")], options("/m")).split(",");
      expect(seen).toEqual(expect.arrayContaining(["rw", "nosuid", "nodev", "noexec"]));
      execFileSync("mount", ["-o", "remount,ro,bind", source]);
      expect(shWith([bind(source, "/m")], "touch /m/x 2>&1 || true")).toContain("Read-only file system");
    } finally {
      execFileSync("umount", [source]);
    }
  });

  test("a shallow mount never hides a deeper one, in whatever order they were given", () => {
    const [outer, inner] = ["outer", "inner"].map((name) => {
      const folder = join(bench.folder, name);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, name), "");
      return folder;
    }) as [string, string];
    mkdirSync(join(outer, "deep"), { recursive: true });
    expect(shWith([bind(inner, "/o/deep"), bind(outer, "/o")], "ls /o /o/deep")).toBe(
      "/o:\ndeep\nouter\n\n/o/deep:\ninner",
    );
  });

  test("tmpfs with safe defaults and options on top", () => {
    const hostConfig = { Tmpfs: { "/t": "size=1m,mode=700,exec" } };
    const [words = "", size] = bench.sh(`${options("/t")}; df -k /t | awk 'NR==2 {print $2}'`, hostConfig).split("\n");
    expect(words.split(",")).toEqual(expect.arrayContaining(["rw", "nosuid", "nodev", "mode=700"]));
    expect(words).not.toContain("noexec");
    expect(size).toBe("1024");
    const Mounts = [{ Type: "tmpfs" as const, Target: "/t", TmpfsOptions: { SizeBytes: 65536, Mode: 0o1770 } }];
    expect(bench.sh(options("/t"), { Mounts })).toContain("size=64k,mode=1770");
  });

  test("a read-only root", () => {
    expect(bench.sh("touch /x 2>&1 || true; touch /dev/shm/y && echo shm", { ReadonlyRootfs: true })).toBe(
      "touch: /x: Read-only file system\nshm",
    );
  });

  test("propagation that the source cannot give is refused in Docker's words", () => {
    const place = join(bench.folder, "private");
    mkdirSync(place);
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", place]);
    try {
      execFileSync("mount", ["--make-private", place]);
      expect(() => shWith([bind(place, "/m", { propagation: "rshared" })], "true")).toThrow(
        `path ${place} is mounted on ${place} but it is not a shared mount`,
      );
      execFileSync("mount", ["--make-shared", place]);
      expect(shWith([bind(place, "/m", { propagation: "rslave" })], "echo ok")).toBe("ok");
    } finally {
      execFileSync("umount", [place]);
    }
  });
});
