import { deepEqual, equal, match, ok } from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { type CgroupFile, cgroupsOf, eventually, isAlive, type Lab } from "./lab.ts";
import { DISK } from "./limits.ts";

const FREEZER: CgroupFile = { v1: ["freezer", "freezer.state"], v2: "cgroup.events" };
const PIDS: CgroupFile = { v1: ["pids", "pids.current"], v2: "pids.current" };

export async function checkProcesses(lab: Lab): Promise<void> {
  const check = lab.check.bind(lab);

  await check("pause stops every process, unpause lets them go on", async () => {
    await lab.ok("run", "-d", "--name", "busy", "--cpus", "0.2", "bb", "sh", "-c", "while :; do :; done");
    const pid = await lab.pid("busy");
    const used = (): string => readFileSync(`/proc/${pid}/stat`, "utf8").split(" ").slice(13, 15).join(" ");
    const [frozen, thawed] = lab.version === 1 ? [/^FROZEN$/, /^THAWED$/] : [/^frozen 1$/m, /^frozen 0$/m];
    await lab.ok("pause", "busy");
    match(lab.kernelFile(pid, FREEZER), frozen);
    equal(await lab.inspect("busy", "{{.State.Status}}"), "paused");
    match(await lab.ok("ps", "--filter", "name=busy"), /\(Paused\)/);
    const [before] = [used(), await lab.ok("ps")]; // A command takes a while, in which a busy loop would have run.
    equal(used(), before, "It still ran");
    await lab.ok("unpause", "busy");
    match(lab.kernelFile(pid, FREEZER), thawed);
    await eventually("it runs again", () => used() !== before);
  });
  await check("a paused container is killed, stopped and removed", async () => {
    for (const verb of [["kill"], ["stop", "-t", "1"], ["rm", "-f"]]) {
      const id = await lab.ok("run", "-d", "--net", "none", "bb", "sleep", "1000");
      const pid = await lab.pid(id);
      await lab.ok("pause", id);
      await lab.ok(...verb, id);
      ok(!isAlive(pid), `${verb.join(" ")} left it alive`);
      if (verb[0] !== "rm") await lab.ok("rm", id);
    }
  });
  await check("exec runs in the container's cgroups and namespaces", async () => {
    await lab.ok("exec", "-d", "busy", "sleep", "777");
    const pid = await eventually("it runs", () => processRunning("sleep\x00777\x00"));
    const main = await lab.pid("busy");
    deepEqual(cgroupsOf(pid), cgroupsOf(main));
    equal(lab.kernelFile(main, PIDS), "2");
    match(await lab.ok("top", "busy"), /sleep 777/);
  });
  await check("stats count what is used", async () => {
    const script = `dd if=${DISK} of=/dev/null bs=64k count=32 status=none; head -c 8m /dev/zero >/dev/shm/x; while :; do :; done`;
    // On version 1 this kernel counts only what a throttle looks at.
    const flags = ["-m", "64m", "--device", DISK, "--device-read-bps", `${DISK}:100mb`];
    await lab.ok("run", "-d", "--name", "used", ...flags, "bb", "sh", "-c", script);
    const ip = await lab.inspect("used", "{{.NetworkSettings.IPAddress}}");
    await lab.ok("exec", "busy", "ping", "-c", "1", ip);
    const stats = await eventually("memory and processor time are used", async () => {
      const now = await lab.api<Stats>("/containers/used/stats?stream=false");
      return now.memory_stats.usage > 8 << 20 && now.cpu_stats.cpu_usage.total_usage > 100_000_000 && now;
    });
    equal(stats.memory_stats.limit, 64 << 20);
    ok(
      stats.cpu_stats.cpu_usage.total_usage > stats.precpu_stats.cpu_usage.total_usage,
      "no processor time between two",
    );
    equal(stats.pids_stats.current, 1);
    ok((stats.networks.eth0?.rx_bytes ?? 0) > 0, "no bytes received");
    const entries = stats.blkio_stats.io_service_bytes_recursive ?? [];
    const read = entries.filter(({ op }) => op.toLowerCase() === "read").reduce((sum, { value }) => sum + value, 0);
    ok(read >= 2 << 20, `${read} bytes read from disks: ${JSON.stringify(entries)}`);
    match(
      await lab.ok("stats", "--no-stream", "--format", "{{.MemUsage}} {{.PIDs}}", "used"),
      /^[\d.]+MiB \/ 64MiB 1$/,
    );
    await lab.ok("rm", "-f", "used");
  });
  await check("a device that is not given cannot be opened, even when made", async () => {
    const { stderr, code } = await lab.havre([
      "run",
      "--rm",
      "bb",
      "sh",
      "-c",
      "mknod /dev/x b 254 32 && dd if=/dev/x of=/dev/null count=1",
    ]);
    equal(code, 1);
    match(stderr, /Operation not permitted/);
  });
  await check("a device that is given can be opened, as far as given", async () => {
    const script = `dd if=${DISK} of=/dev/null count=1 status=none && echo read; dd if=/dev/zero of=${DISK} count=1 status=none && echo written`;
    const { stdout, stderr } = await lab.havre([
      "run",
      "--rm",
      "--device",
      `${DISK}:${DISK}:r`,
      "bb",
      "sh",
      "-c",
      script,
    ]);
    equal(stdout, "read\n");
    match(stderr, /Operation not permitted/);
    const rule = ["--cap-add", "SYSLOG", "--device-cgroup-rule", "c 1:11 rmw"];
    equal(
      await lab.ok("run", "--rm", ...rule, "bb", "sh", "-c", "mknod /dev/y c 1 11 && : </dev/y && echo opened"),
      "opened",
    );
  });
  await check("a privileged container opens the host's devices", async () => {
    equal(await lab.ok("run", "--rm", "--privileged", "bb", "sh", "-c", `head -c 4 ${DISK} | wc -c`), "4");
  });
  await check("a container sees a cgroup tree of its own", async () => {
    const cgroup = await lab.ok("run", "--rm", "bb", "cat", "/proc/self/cgroup");
    if (lab.version === 2) equal(cgroup, "0::/");
    const script = `echo 1 >${lab.pathInside({ v1: ["pids", "pids.max"], v2: "pids.max" })}`;
    const written = await lab.havre(["run", "--rm", "bb", "sh", "-c", script]);
    match(written.stderr, /Read-only file system/);
  });
  await check("logs: both streams, and the last lines", async () => {
    await lab.ok("run", "--name", "talk", "bb", "sh", "-c", "echo one; echo two >&2; echo three");
    const { stdout, stderr } = await lab.havre(["logs", "talk"]);
    deepEqual([stdout, stderr], ["one\nthree\n", "two\n"]);
    await lab.ok("run", "--name", "count", "bb", "seq", "3");
    equal(await lab.ok("logs", "--tail", "2", "count"), "2\n3");
  });
  await check("stop, start and exit codes", async () => {
    equal((await lab.havre(["run", "--rm", "bb", "sh", "-c", "exit 42"])).code, 42);
    await lab.ok("run", "-d", "--name", "polite", "bb", "sh", "-c", "trap 'exit 9' TERM; while :; do sleep 0.1; done");
    await lab.ok("stop", "polite");
    equal(await lab.inspect("polite", "{{.State.Status}} {{.State.ExitCode}}"), "exited 9");
    await lab.ok("start", "polite");
    equal(await lab.inspect("polite", "{{.State.Running}}"), "true");
  });
  await check("runc as the runtime", async () => {
    equal(await lab.ok("run", "--rm", "--runtime", "runc", "-m", "32m", "bb", "echo", "by runc"), "by runc");
  });
}

/** The process whose command line is this, words ended by zeros. */
function processRunning(commandLine: string): number | undefined {
  for (const path of globSync("/proc/[0-9]*/cmdline")) {
    try {
      if (readFileSync(path, "utf8") === commandLine) return Number(path.split("/")[2]);
    } catch (cause) {
      if (!["ENOENT", "ESRCH"].includes((cause as NodeJS.ErrnoException).code ?? "")) throw cause;
    }
  }
  return undefined;
}

interface Stats {
  readonly cpu_stats: { readonly cpu_usage: { readonly total_usage: number } };
  readonly precpu_stats: { readonly cpu_usage: { readonly total_usage: number } };
  readonly memory_stats: { readonly usage: number; readonly limit: number };
  readonly pids_stats: { readonly current: number };
  readonly networks: Readonly<Record<string, { readonly rx_bytes: number }>>;
  readonly blkio_stats: {
    readonly io_service_bytes_recursive: readonly { readonly op: string; readonly value: number }[] | null;
  };
}
