import { equal, match, ok } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { eventually, isAlive, type Lab } from "./lab.ts";

export async function checkSurvival(lab: Lab): Promise<void> {
  const check = lab.check.bind(lab);
  const pids: Record<string, number> = {};

  await check("containers outlive a daemon that is killed", async () => {
    mkdirSync("/tmp/signal");
    const waits = "echo before; while [ ! -e /signal/go ]; do sleep 0.1; done; echo after; exit 7";
    await lab.ok("run", "-d", "--name", "ends", "-v", "/tmp/signal:/signal", "bb", "sh", "-c", waits);
    await lab.ok("run", "-d", "--name", "stays", "-m", "64m", "bb", "sleep", "1000");
    for (const name of ["ends", "stays"]) pids[name] = await lab.pid(name);
    await lab.daemon.kill();
    ok(!(await lab.daemon.answers()), "the daemon still answers");
    for (const [name, pid] of Object.entries(pids)) ok(isAlive(pid), `${name} is gone`);
  });
  await check("the exit code of one that ends meanwhile is recorded", async () => {
    writeFileSync("/tmp/signal/go", "");
    await eventually("it ends", () => !isAlive(pids.ends ?? 0));
    await lab.daemon.start();
    equal(await lab.inspect("ends", "{{.State.Status}} {{.State.ExitCode}}"), "exited 7");
    equal(await lab.ok("logs", "ends"), "before\nafter");
  });
  await check("one that goes on is found again, with its limits", async () => {
    equal(await lab.inspect("stays", "{{.State.Status}} {{.State.Pid}}"), `running ${pids.stays}`);
    equal(await lab.ok("exec", "stays", "echo", "here"), "here");
    await lab.ok("update", "-m", "80m", "--memory-swap", "80m", "stays");
    const file = { v1: ["memory", "memory.limit_in_bytes"], v2: "memory.max" } as const;
    equal(lab.kernelFile(pids.stays ?? 0, file), String(80 << 20));
    match(await lab.ok("stats", "--no-stream", "--format", "{{.MemUsage}}", "stays"), / \/ 80MiB$/);
    await lab.ok("kill", "stays");
    equal(await lab.ok("wait", "stays"), "137");
  });
}
