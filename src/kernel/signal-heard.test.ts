import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { signalHeard } from "./process.ts";

test("a signal with a handler, an ignored one, one without; a process that is gone", async () => {
  const child = spawn("sh", ["-c", "trap : USR1; trap '' USR2; echo ready; read line"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  await once(child.stdout, "data");
  const pid = child.pid ?? 0;
  expect([10, 12, 15].map((signal) => signalHeard(pid, signal))).toEqual([true, true, false]);
  child.stdin.end();
  await once(child, "exit");
  expect(signalHeard(pid, 15)).toBe(true);
});
