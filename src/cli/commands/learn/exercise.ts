import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../../../client/mod.ts";
import { inspect } from "./copy.ts";

/** Milliseconds between two looks at a container. */
const PAUSE = 200;

export interface Exercise {
  /** Commands for its shell. */
  readonly tests: readonly string[];
  /** Milliseconds it is watched at most, and given for becoming healthy and for each test to pass. */
  readonly patience: number;
}

/** How an exercise went, a line for each part. */
export interface Outcome {
  readonly passed: boolean;
  readonly lines: readonly string[];
}

/**
 * Waits until a container is healthy, runs the tests in it, each until it passes, and stops it. One without health check
 * and tests is watched until it ends or time is over.
 */
export async function exercise(client: Client, id: string, { tests, patience }: Exercise): Promise<Outcome> {
  const lines: string[] = [];
  const health = await becomesHealthy(client, id, tests.length > 0 ? "tests" : "time", patience);
  lines.push(health.line);
  let { passed } = health;
  for (const test of passed && health.running ? tests : []) {
    const done = await passes(client, id, test, patience);
    lines.push(`${done ? "passed" : "failed"}: ${test}`);
    passed &&= done;
  }
  if (health.running) await client.run("POST", `/containers/${id}/stop`).catch(() => {});
  return { passed, lines };
}

interface HealthSeen {
  readonly passed: boolean;
  readonly running: boolean;
  readonly line: string;
}

async function becomesHealthy(
  client: Client,
  id: string,
  next: "tests" | "time",
  patience: number,
): Promise<HealthSeen> {
  const end = Date.now() + patience;
  for (;;) {
    const { State, Config } = await inspect(client, id);
    if (!State.Running) {
      const expected = State.ExitCode === 0 && next === "time";
      return { passed: expected, running: false, line: `ended with code ${State.ExitCode}` };
    }
    const test = Config.Healthcheck?.Test?.[0];
    const checked = test !== undefined && test !== "NONE";
    if (State.Health?.Status === "healthy") return { passed: true, running: true, line: "became healthy" };
    if (State.Health?.Status === "unhealthy") return { passed: false, running: true, line: "became unhealthy" };
    if (!checked && next === "tests") return { passed: true, running: true, line: "runs" };
    if (Date.now() >= end)
      return checked
        ? { passed: false, running: true, line: `was not healthy after ${patience / 1000} s` }
        : { passed: true, running: true, line: `ran for ${patience / 1000} s` };
    await sleep(PAUSE);
  }
}

async function passes(client: Client, id: string, test: string, patience: number): Promise<boolean> {
  const end = Date.now() + patience;
  for (;;) {
    if ((await run(client, id, test, end)) === 0) return true;
    if (Date.now() >= end || !(await inspect(client, id)).State.Running) return false;
    await sleep(PAUSE);
  }
}

/** Exit code of a command in the container's shell; 124 when it did not end in time, as timeout(1) says it. */
async function run(client: Client, id: string, test: string, end: number): Promise<number> {
  const { Id } = await client.json<{ Id: string }>("POST", `/containers/${id}/exec`, {
    json: { Cmd: ["sh", "-c", test] },
  });
  await client.run("POST", `/exec/${Id}/start`, { json: { Detach: true } });
  for (;;) {
    const { Running, ExitCode } = await client.json<{ Running: boolean; ExitCode: number | null }>(
      "GET",
      `/exec/${Id}/json`,
    );
    if (!Running) return ExitCode ?? 1;
    if (Date.now() >= end) return 124;
    await sleep(PAUSE);
  }
}
