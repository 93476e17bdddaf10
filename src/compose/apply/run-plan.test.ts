import { expect, test } from "bun:test";
import { deferred, HavreError } from "../../base/mod.ts";
import type { Plan } from "../plan/step.ts";
import { runPlan } from "./run-plan.ts";

const planned = (id: string, ...after: string[]): Plan[number] => ({
  id,
  step: { kind: "create-volume", key: id, name: id },
  after,
});
const nameOf = ({ step }: { step: Plan[number]["step"] }) => (step.kind === "create-volume" ? step.name : "");
const quiet = { signal: new AbortController().signal, onEvent: () => {}, limit: 4 };

test("each begins as soon as those before it are done, and not before", async () => {
  const gates = new Map(["a", "b", "c"].map((id) => [id, deferred<void>()]));
  const begun: string[] = [];
  const run = runPlan(
    [planned("a"), planned("b"), planned("c", "a"), planned("d", "b", "c")],
    async (step) => {
      begun.push(nameOf({ step }));
      await gates.get(nameOf({ step }))?.promise;
      return undefined;
    },
    quiet,
  );
  expect(begun).toEqual(["a", "b"]);
  gates.get("a")?.resolve();
  await new Promise(setImmediate);
  expect(begun).toEqual(["a", "b", "c"]);
  gates.get("c")?.resolve();
  gates.get("b")?.resolve();
  await run;
  expect(begun).toEqual(["a", "b", "c", "d"]);
});

test("after a failure nothing begins, and what has begun is finished first", async () => {
  const slow = deferred<void>();
  const events: string[] = [];
  const run = runPlan(
    [planned("bad"), planned("slow"), planned("next", "slow")],
    async (step) => {
      if (nameOf({ step }) === "bad") throw new HavreError("conflict", "no");
      await slow.promise;
      return undefined;
    },
    { ...quiet, onEvent: ({ step, state }) => events.push(`${nameOf({ step })} ${state}`) },
  );
  queueMicrotask(() => slow.resolve());
  expect(run).rejects.toThrow("Volume bad: no");
  await run.catch(() => {});
  expect(events).toEqual(["bad doing", "slow doing", "bad failed", "slow done"]);
});

test("an interrupt lets what has begun finish", async () => {
  const controller = new AbortController();
  const begun: string[] = [];
  const run = runPlan(
    [planned("a"), planned("b", "a")],
    async (step) => {
      begun.push(nameOf({ step }));
      controller.abort();
      return undefined;
    },
    { ...quiet, signal: controller.signal },
  );
  expect(run).rejects.toThrow("Cancelled");
  await run.catch(() => {});
  expect(begun).toEqual(["a"]);
});
