import { deepEqual, equal, ok } from "node:assert/strict";
import type { CgroupFile, Lab } from "./lab.ts";

interface Limit {
  readonly what: string;
  readonly file: CgroupFile;
  /** What the file holds on version 1 and 2: at creation, then after the update. */
  readonly made: readonly [string, string];
  readonly updated: readonly [string, string];
}

/** The disk that is there to be read from: no file system, nobody else's. */
export const DISK = "/dev/vdc";

const MAKE =
  "-m 64m --memory-swap 128m --memory-reservation 32m --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 --cpuset-mems 0 --pids-limit 20";
const UPDATE =
  "-m 96m --memory-swap 192m --memory-reservation 48m --cpus 0.25 --cpu-shares 256 --cpuset-cpus 0-1 --pids-limit 30";
const mib = (count: number): string => String(count * 1024 * 1024);

/** Shares of version 1 become weights of version 2 as crun 1.8 does: 1 + (shares - 2) * 9999 / 262142. */
const LIMITS: readonly Limit[] = [
  {
    what: "memory",
    file: { v1: ["memory", "memory.limit_in_bytes"], v2: "memory.max" },
    made: [mib(64), mib(64)],
    updated: [mib(96), mib(96)],
  },
  {
    what: "swap",
    file: { v1: ["memory", "memory.memsw.limit_in_bytes"], v2: "memory.swap.max" },
    made: [mib(128), mib(64)],
    updated: [mib(192), mib(96)],
  },
  {
    what: "reservation",
    file: { v1: ["memory", "memory.soft_limit_in_bytes"], v2: "memory.low" },
    made: [mib(32), mib(32)],
    updated: [mib(48), mib(48)],
  },
  {
    what: "cpus",
    file: { v1: ["cpu", "cpu.cfs_quota_us"], v2: "cpu.max" },
    made: ["50000", "50000 100000"],
    updated: ["25000", "25000 100000"],
  },
  {
    what: "shares",
    file: { v1: ["cpu", "cpu.shares"], v2: "cpu.weight" },
    made: ["512", "20"],
    updated: ["256", "10"],
  },
  {
    what: "cpuset",
    file: { v1: ["cpuset", "cpuset.cpus"], v2: "cpuset.cpus" },
    made: ["0", "0"],
    updated: ["0-1", "0-1"],
  },
  { what: "pids", file: { v1: ["pids", "pids.max"], v2: "pids.max" }, made: ["20", "20"], updated: ["30", "30"] },
];

export async function checkLimits(lab: Lab): Promise<void> {
  const { check, version } = { check: lab.check.bind(lab), version: lab.version };
  const compare = async (at: "made" | "updated"): Promise<void> => {
    const pid = await lab.pid("lim");
    for (const limit of LIMITS) {
      await check(`${limit.what} limit ${at}`, async () => {
        equal(lab.kernelFile(pid, limit.file), limit[at][version - 1], "in the kernel's file");
        equal(
          await lab.ok("exec", "lim", "cat", lab.pathInside(limit.file)),
          limit[at][version - 1],
          "as the container sees it",
        );
      });
    }
  };

  await check("a container with limits starts", async () => {
    await lab.ok("run", "-d", "--name", "lim", ...MAKE.split(" "), "bb", "sleep", "1000");
  });
  await compare("made");
  await check("the limits of a running container are changed", async () => {
    await lab.ok("update", ...UPDATE.split(" "), "lim");
  });
  await compare("updated");
  await check("processors as the scheduler has them", async () => {
    equal(
      await lab.ok("run", "--rm", "--cpuset-cpus", "1", "bb", "grep", "Cpus_allowed_list", "/proc/self/status"),
      "Cpus_allowed_list:\t1",
    );
  });
  await check("a fork beyond the pids limit fails", async () => {
    const script = "for i in $(seq 40); do sleep 5 & done; echo made them all";
    const { stdout, stderr } = await lab.havre(["run", "--rm", "--pids-limit", "10", "bb", "sh", "-c", script]);
    ok(!stdout.includes("made them all") && stderr.includes("can't fork"), stdout + stderr);
  });

  await check("reading from a disk is slowed", async () => {
    const time = async (...flags: readonly string[]): Promise<number> => {
      const read = `time dd if=${DISK} of=/dev/null bs=64k count=32 iflag=direct status=none`;
      const { code, stderr } = await lab.havre([
        "run",
        "--rm",
        "--device",
        `${DISK}:${DISK}:r`,
        ...flags,
        "bb",
        "sh",
        "-c",
        read,
      ]);
      equal(code, 0, stderr);
      const [, minutes = "", seconds = ""] = /real\s+(\d+)m\s*([\d.]+)s/.exec(stderr) ?? [];
      return Number(minutes) * 60 + Number(seconds);
    };
    const [free, slowed] = [await time(), await time("--device-read-bps", `${DISK}:512kb`)];
    ok(slowed > 3 && slowed > 2 * free, `2 MiB took ${slowed} s at 512 KiB a second, ${free} s without a limit`);
  });
  await check("a disk's throttle is in the kernel", async () => {
    const name = await lab.ok(
      "run",
      "-d",
      "--device-read-bps",
      `${DISK}:1mb`,
      "--device-write-iops",
      `${DISK}:50`,
      "bb",
      "sleep",
      "1000",
    );
    const pid = await lab.pid(name);
    const read = lab.kernelFile(pid, { v1: ["blkio", "blkio.throttle.read_bps_device"], v2: "io.max" });
    const write = lab.kernelFile(pid, { v1: ["blkio", "blkio.throttle.write_iops_device"], v2: "io.max" });
    const device = read.split(" ")[0] ?? "";
    const want = {
      1: [`${device} 1048576`, `${device} 50`],
      2: [`${device} rbps=1048576 wbps=max riops=max wiops=50`, `${device} rbps=1048576 wbps=max riops=max wiops=50`],
    };
    deepEqual([read, write], want[version]);
    await lab.ok("rm", "-f", name);
  });

  await check("going over the memory limit is an OOM kill, reported", async () => {
    const since = (Date.now() / 1000).toFixed(3);
    const { code } = await lab.havre([
      "run",
      "--name",
      "oom",
      "-m",
      "16m",
      "--memory-swap",
      "16m",
      "bb",
      "sh",
      "-c",
      "x=a; while :; do x=$x$x; done",
    ]);
    equal(code, 137);
    equal(await lab.inspect("oom", "{{.State.OOMKilled}} {{.State.ExitCode}}"), "true 137");
    const filters = ["--since", since, "--until", (Date.now() / 1000 + 0.001).toFixed(3), "--filter", "container=oom"];
    const actions = (await lab.ok("events", ...filters, "--format", "{{.Action}}")).split("\n");
    ok(actions.includes("oom") && actions.indexOf("oom") < actions.indexOf("die"), actions.join(" "));
  });
  await check("a memory kill that the container survives is told too", async () => {
    const since = (Date.now() / 1000).toFixed(3);
    const script = "sh -c 'x=a; while :; do x=$x$x; done'; echo then $?";
    equal(
      await lab.ok("run", "--name", "oom2", "-m", "16m", "--memory-swap", "16m", "bb", "sh", "-c", script),
      "then 137",
    );
    const filters = ["--since", since, "--until", (Date.now() / 1000 + 0.001).toFixed(3), "--filter", "container=oom2"];
    const actions = (await lab.ok("events", ...filters, "--format", "{{.Action}}")).split("\n");
    ok(actions.includes("oom"), actions.join(" "));
  });
}
