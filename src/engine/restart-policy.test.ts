import { expect, test } from "bun:test";
import { endsRun, restartDecision, startsWithDaemon } from "./restart-policy.ts";

const ended = { exitCode: 1, restartCount: 0, stoppedByUser: false, startedAt: 1000, finishedAt: 1500 };
const policy = (Name: "no" | "always" | "on-failure" | "unless-stopped", MaximumRetryCount = 0) => ({
  Name,
  MaximumRetryCount,
});

test.each([
  ["no", policy("no"), ended, false],
  ["always after success", policy("always"), { ...ended, exitCode: 0 }, true],
  ["always but stopped by the user", policy("always"), { ...ended, stoppedByUser: true }, false],
  ["unless-stopped", policy("unless-stopped"), ended, true],
  ["on-failure after success", policy("on-failure"), { ...ended, exitCode: 0 }, false],
  ["on-failure after failure", policy("on-failure"), ended, true],
  ["on-failure with tries left", policy("on-failure", 3), { ...ended, restartCount: 2 }, true],
  ["on-failure with no tries left", policy("on-failure", 3), { ...ended, restartCount: 3 }, false],
])("%s", (_name, rule, status, wanted) => {
  expect(restartDecision({ policy: rule, status, previousDelay: undefined }).restart).toBe(wanted);
});

test("waits double up to a minute and start over after a steady run", () => {
  const delays: number[] = [];
  let previousDelay: number | undefined;
  for (let run = 0; run < 12; run++) {
    const decision = restartDecision({ policy: policy("always"), status: ended, previousDelay });
    if (!decision.restart) break;
    previousDelay = decision.delay;
    delays.push(decision.delay);
  }
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000]);
  const steady = { ...ended, finishedAt: ended.startedAt + 10_000 };
  expect(restartDecision({ policy: policy("always"), status: steady, previousDelay: 60_000 })).toEqual({
    restart: true,
    delay: 100,
  });
});

test("with the daemon, always starts even what the user stopped; unless-stopped does not", () => {
  const stopped = { ...ended, stoppedByUser: true };
  expect(startsWithDaemon({ policy: policy("always"), status: stopped })).toBe(true);
  expect(startsWithDaemon({ policy: policy("unless-stopped"), status: stopped })).toBe(false);
  expect(startsWithDaemon({ policy: policy("unless-stopped"), status: ended })).toBe(true);
  expect(startsWithDaemon({ policy: policy("no"), status: ended })).toBe(false);
});

test("a signal ends the run when it is KILL, the chosen stop signal, or none was chosen", () => {
  const [HUP, KILL, TERM] = [1, 9, 15];
  expect([HUP, KILL, TERM].map((signal) => endsRun(signal, undefined))).toEqual([true, true, true]);
  expect([HUP, KILL, TERM].map((signal) => endsRun(signal, TERM))).toEqual([false, true, true]);
});
