import { expect, test } from "bun:test";
import type { Health } from "../container.ts";
import { healthPlan } from "./config.ts";
import { afterProbe, STARTING, untilNextProbe } from "./verdict.ts";

const plan = { command: [], interval: 30_000, timeout: 1000, startPeriod: 10_000, startInterval: 500, retries: 2 };
const probe = (start: number, exitCode: number) => ({ start, end: start + 1, exitCode, output: "" });
const after = (health: Health, ...probes: readonly [number, number][]) =>
  probes.reduce((now, [start, code]) => afterProbe(now, probe(start, code), plan, 0), health);

test("a container has no check, or disables its image's", () => {
  expect(healthPlan({})).toBeUndefined();
  expect(healthPlan({ Healthcheck: { Test: ["NONE"] } })).toBeUndefined();
  expect(healthPlan({ Healthcheck: { Test: [] } })).toBeUndefined();
});

test("a shell check runs in the container's shell, and zero means the default", () => {
  const shell = healthPlan({ Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 2e9 }, Shell: ["/bin/ash", "-c"] });
  expect(shell).toEqual({
    command: ["/bin/ash", "-c", "true"],
    interval: 2000,
    timeout: 30_000,
    startPeriod: 0,
    startInterval: 5000,
    retries: 3,
  });
  expect(healthPlan({ Healthcheck: { Test: ["CMD", "a", "b"] } })?.command).toEqual(["a", "b"]);
});

test("failures in the start period do not count; afterwards the streak makes it unhealthy", () => {
  const early = after(STARTING, [1000, 1], [2000, 1], [3000, 1]);
  expect([early.status, early.failingStreak]).toEqual(["starting", 0]);
  const late = after(early, [11_000, 1]);
  expect([late.status, late.failingStreak]).toEqual(["starting", 1]);
  expect(after(late, [12_000, 1]).status).toBe("unhealthy");
});

test("one success makes it healthy, and ends the start period", () => {
  const healthy = after(STARTING, [1000, 0]);
  expect(healthy.status).toBe("healthy");
  expect(after(healthy, [2000, 1], [3000, 1]).status).toBe("unhealthy");
  expect(after(healthy, [2000, 1], [3000, 1], [4000, 0])).toMatchObject({ status: "healthy", failingStreak: 0 });
});

test("the last five probes are remembered", () => {
  const health = after(STARTING, [1, 0], [2, 0], [3, 0], [4, 0], [5, 0], [6, 0]);
  expect(health.log.map(({ start }) => start)).toEqual([2, 3, 4, 5, 6]);
});

test("probes come faster while the container starts", () => {
  expect(untilNextProbe(STARTING, plan, 100, 0)).toBe(500);
  expect(untilNextProbe(STARTING, plan, 10_001, 0)).toBe(30_000);
  expect(untilNextProbe({ ...STARTING, status: "healthy" }, plan, 100, 0)).toBe(30_000);
});
