/**
 * The daemon is killed at random moments of random work; the next one must find everything as it is. HAVRE_TEST_SEED
 * repeats a run, HAVRE_TEST_ROUNDS makes it longer.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expectNoLeaks, naming, takeSnapshot } from "../scripts/test/leaks.ts";
import { until, useEngine } from "./harness/mod.ts";
import { randomFrom } from "./harness/random.ts";

const ROUNDS = Number(process.env.HAVRE_TEST_ROUNDS ?? 200);
const SEED = Number(process.env.HAVRE_TEST_SEED ?? Date.now() % 1_000_000);

const engine = useEngine();
const daemon = engine.own;
const docker = engine.docker.bind(engine);
const ok = engine.ok.bind(engine);

describe("kill -9 of the daemon", () => {
  test("a running container goes on: same process, logs without a gap, exit code recorded", async () => {
    await ok([
      "run",
      "-d",
      "--name",
      "e2e-a",
      "bb",
      "sh",
      "-c",
      "i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo $i; sleep 0.01; done; exit 21",
    ]);
    const pid = await ok(["inspect", "-f", "{{.State.Pid}}", "e2e-a"]);
    await daemon.kill();
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    await daemon.start();
    expect(await ok(["inspect", "-f", "{{.State.Pid}} {{.State.Status}}", "e2e-a"])).toBe(`${pid} running`);
    await daemon.kill();
    await until("the process has ended", () => !existsSync(`/proc/${pid}`));
    await daemon.start();
    expect(await ok(["wait", "e2e-a"])).toBe("21");
    expect(await ok(["logs", "e2e-a"])).toBe(Array.from({ length: 300 }, (_, index) => index + 1).join("\n"));
    await ok(["rm", "e2e-a"]);
  });

  test("exec, attach and limits work on one that was started before", async () => {
    await ok(["run", "-d", "-i", "--name", "e2e-a", "bb", "sh", "-c", "read x; echo got $x; exit 3"]);
    await daemon.kill();
    await daemon.start();
    expect(await ok(["exec", "e2e-a", "echo", "inside"])).toBe("inside");
    await ok(["update", "--pids-limit", "30", "e2e-a"]);
    await ok(["pause", "e2e-a"]);
    await ok(["unpause", "e2e-a"]);
    expect(await docker(["attach", "e2e-a"], { input: "it\n" })).toMatchObject({ code: 3, stdout: "got it\n" });
    await ok(["rm", "e2e-a"]);
  });

  test("--rm and restart policies are carried out by the next daemon", async () => {
    await ok(["run", "-d", "--rm", "--name", "e2e-gone", "bb", "sleep", "0.3"]);
    await ok(["run", "-d", "--restart", "on-failure:3", "--name", "e2e-again", "bb", "sh", "-c", "sleep 0.3; exit 1"]);
    await ok(["run", "-d", "--restart", "always", "--name", "e2e-stopped", "bb", "sleep", "1000"]);
    await ok(["stop", "-t", "0", "e2e-stopped"]);
    const pid = await ok(["inspect", "-f", "{{.State.Pid}}", "e2e-again"]);
    await daemon.kill();
    await until("the first process has ended", () => pid === "0" || !existsSync(`/proc/${pid}`));
    await daemon.start();
    await until("it is removed", async () => (await docker(["inspect", "e2e-gone"])).code !== 0);
    await until("it was restarted three times", async () => {
      return (await ok(["inspect", "-f", "{{.RestartCount}} {{.State.Status}}", "e2e-again"])) === "3 exited";
    });
    // As dockerd: `always` starts what was stopped by hand when the daemon starts.
    await until("it runs", async () => (await ok(["inspect", "-f", "{{.State.Status}}", "e2e-stopped"])) === "running");
    await ok(["rm", "-f", "e2e-again", "e2e-stopped"]);
  });

  test(`${ROUNDS} times while containers come, work and go (seed ${SEED}): nothing lost, nothing left`, async () => {
    const random = randomFrom(SEED);
    const clean = takeSnapshot({ folders: [daemon.run] });
    await ok([
      "run",
      "-d",
      "--name",
      "e2e-witness",
      "bb",
      "sh",
      "-c",
      "while :; do cut -d' ' -f1 /proc/uptime; sleep 0.05; done",
    ]);
    const witness = await ok(["inspect", "-f", "{{.State.Pid}}", "e2e-witness"]);
    const kept = new Map<string, number>();
    let serial = 0;
    const work: readonly (() => Promise<unknown>)[] = [
      async () => {
        const name = `e2e-kept-${serial++}`;
        const code = random.below(100);
        const { code: status } = await docker([
          "run",
          "-d",
          "--name",
          name,
          "--net",
          "none",
          "bb",
          "sh",
          "-c",
          `exit ${code}`,
        ]);
        if (status === 0) kept.set(name, code);
      },
      () => docker(["run", "--rm", "bb", "true"]),
      () => docker(["run", "--rm", "--net", "none", "bb", "sleep", "0.1"]),
      () => docker(["exec", "e2e-witness", "sh", "-c", "echo work"]),
      () => docker(["run", "-d", "--name", `e2e-run-${serial++}`, "bb", "sleep", "1000"]),
      () => docker(["rm", "-f", `e2e-run-${random.below(Math.max(1, serial))}`]),
      () => docker(["stop", "-t", "0", `e2e-run-${random.below(Math.max(1, serial))}`]),
      () => docker(["start", `e2e-run-${random.below(Math.max(1, serial))}`]),
      () => docker(["commit", "e2e-witness", `e2e-commit-${random.below(3)}`]),
      () => docker(["import", "-", `e2e-import-${random.below(3)}`], { input: tinyTar(random.below(1000)) }),
    ];
    for (let round = 0; round < ROUNDS; round++) {
      const jobs = Array.from({ length: 3 }, () =>
        random
          .pick(work)()
          .catch((cause: unknown) => cause),
      );
      await new Promise((resolve) => setTimeout(resolve, random.below(120)));
      await daemon.kill();
      await Promise.all(jobs);
      await daemon.start();
      expect(await ok(["inspect", "-f", "{{.State.Pid}} {{.State.Status}}", "e2e-witness"])).toBe(`${witness} running`);
      if (round % 10 !== 9) continue;
      for (const [name, code] of kept) {
        expect(`${name} ${await ok(["wait", name])}`).toBe(`${name} ${code}`);
        await ok(["rm", name]);
      }
      kept.clear();
      const running = await ok(["ps", "-aq", "--filter", "name=e2e-run-"]);
      if (running !== "") await ok(["rm", "-f", ...running.split("\n")]);
      // A client that was cut off does not know the names of what it may have made.
      await ok(["container", "prune", "-f"]);
      expect(await ok(["ps", "-a", "--format", "{{.Names}}"])).toBe("e2e-witness");
    }
    const times = (await ok(["logs", "e2e-witness"])).split("\n").map(Number);
    const widest = Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? time)));
    expect(widest).toBeLessThan(5);
    await ok(["rm", "-f", "e2e-witness"]);
    const images = await ok(["images", "-q", "--filter", "reference=e2e-*"]);
    if (images !== "") await ok(["rmi", "-f", ...new Set(images.split("\n"))]);
    await ok(["image", "prune", "-f"]);
    const mine = naming(daemon.folder, daemon.bridge);
    // Ready network namespaces come and go: their number must not grow, the rest must be gone.
    await expectNoLeaks(clean, { only: (held) => mine(held) && held.kind !== "interface" });
    const links = [clean, takeSnapshot()].map(
      ({ held }) =>
        [...held.values()].filter(({ kind, text }) => kind === "interface" && mine({ kind, key: "", text })).length,
    );
    expect(links[1]).toBeLessThanOrEqual(links[0] ?? 0);
    expect(foldersOfContainers()).toEqual([]);
  }, 1_200_000);
});

/** What is left below the durable folder for containers that are gone. */
function foldersOfContainers(): readonly string[] {
  return ["containers", "snapshots/containers", "bundles"].flatMap((name) => {
    const folder = join(daemon.root, name);
    return existsSync(folder) ? readdirSync(folder).map((entry) => `${name}/${entry}`) : [];
  });
}

/** A tar with one file that tells it from others. */
function tinyTar(number: number): Uint8Array {
  const header = Buffer.alloc(512);
  header.write("number", 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${(4).toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const body = Buffer.alloc(512);
  body.write(String(number).padStart(4, "0"));
  return Buffer.concat([header, body, Buffer.alloc(1024)]);
}
