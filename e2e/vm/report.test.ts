import { expect, test } from "bun:test";
import { readConsole } from "./report.ts";

test("counts checks", () => {
  const lines = ["SeaBIOS", "ok memory", "FAILED swap: 1 is not 2", "ok pids\r", "machine: 3 checks\r"];
  expect(readConsole(lines, true)).toEqual({ passed: 2, failed: 1, problems: [] });
});

test("a machine that did not come to the end of its checks has failed", () => {
  expect(readConsole(["ok memory", "Kernel panic"], true)).toMatchObject({ passed: 1, failed: 1 });
  expect(readConsole([], true)).toMatchObject({ passed: 0, failed: 1 });
  expect(readConsole(["machine: 0 checks"], true)).toMatchObject({ failed: 1 });
});

test("so has one that lost lines, or had to be switched off", () => {
  expect(readConsole(["ok memory", "machine: 2 checks"], true)).toMatchObject({ passed: 1, failed: 1 });
  expect(readConsole(["ok memory", "machine: 1 checks"], false)).toMatchObject({ passed: 1, failed: 1 });
});
