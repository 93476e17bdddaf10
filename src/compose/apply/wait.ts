import { HavreError } from "../../base/mod.ts";
import type { Condition } from "../plan/step.ts";
import type { ContainerCondition, Engine, OnDetail } from "./engine.ts";

export interface Waiting {
  readonly engine: Pick<Engine, "condition" | "changes" | "wait">;
  readonly ids: readonly string[];
  readonly condition: Condition;
  readonly signal: AbortSignal;
  readonly onDetail: OnDetail;
}

/** Waits until all of a service's containers are as wanted. `failed-precondition` when they cannot be any more. */
export async function waitFor(waiting: Waiting): Promise<void> {
  if (waiting.condition === "service_completed_successfully") await waitForEnd(waiting);
  else await waitForHealth(waiting);
}

async function waitForEnd({ engine, ids, signal }: Waiting): Promise<void> {
  await Promise.all(
    ids.map(async (id) => {
      const exitCode = await engine.wait(id, signal);
      if (exitCode === 0) return;
      const { name } = await engine.condition(id);
      throw new HavreError("failed-precondition", `container ${name} didn't complete successfully: exit ${exitCode}`, {
        hint: `See what it said: havre logs ${name}`,
      });
    }),
  );
}

async function waitForHealth({ engine, ids, condition, signal, onDetail }: Waiting): Promise<void> {
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const left = new Set(ids);
  const look = async () => {
    for (const id of left) {
      const found = await engine.condition(id);
      if (isReady(found, condition)) left.delete(id);
      else onDetail(explain(found));
    }
  };
  try {
    // Listening comes first: what changes while we look is not missed.
    const changes = engine.changes(ids, both)[Symbol.asyncIterator]();
    let next = changes.next();
    await look();
    while (left.size > 0) {
      if ((await next).done) {
        signal.throwIfAborted();
        throw new HavreError("unavailable", "The daemon ended its events while a service was waited for", {
          hint: "Run the same command again: it goes on from here",
        });
      }
      next = changes.next();
      next.catch(() => {});
      await look();
    }
  } finally {
    over.abort();
  }
}

function isReady({ name, status, exitCode, health }: ContainerCondition, condition: Condition): boolean {
  if (status === "exited" || status === "dead")
    throw new HavreError("failed-precondition", `container ${name} exited (${exitCode})`, {
      hint: `See what it said: havre logs ${name}`,
    });
  if (!health || health.status === "none") {
    if (condition === "running_or_healthy") return status === "running";
    throw new HavreError("failed-precondition", `container ${name} has no healthcheck configured`, {
      hint: "Give its service a healthcheck, or wait for service_started",
    });
  }
  if (health.status === "unhealthy") {
    const said = health.lastOutput.trim();
    throw new HavreError(
      "failed-precondition",
      `container ${name} is unhealthy${said === "" ? "" : `: its last check said: ${said}`}`,
      {
        hint: `See its checks: havre inspect --format '{{json .State.Health}}' ${name}; its output: havre logs ${name}`,
      },
    );
  }
  return health.status === "healthy";
}

function explain({ name, status, health }: ContainerCondition): string {
  if (!health) return `${name} is ${status}`;
  if (health.failingStreak === 0) return `${name}: first check to come`;
  const said = health.lastOutput.trim().split("\n").at(-1) ?? "";
  return `${name}: ${health.failingStreak} failed check${health.failingStreak === 1 ? "" : "s"}${said === "" ? "" : `: ${said}`}`;
}
