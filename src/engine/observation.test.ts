import { expect, test } from "bun:test";
import { parseSystemCpu, selectProcesses } from "./observation.ts";

test("only the container's rows are kept and the command keeps its spaces", () => {
  const output =
    "UID          PID    PPID  C STIME TTY          TIME CMD\nroot          12       1  0 10:00 ?        00:00:00 sleep 1 2\nroot          13       1  0 10:00 ?        00:00:00 other\n";
  expect(selectProcesses(output, new Set([12]))).toEqual({
    titles: ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"],
    processes: [["root", "12", "1", "0", "10:00", "?", "00:00:00", "sleep 1 2"]],
  });
  expect(() => selectProcesses("A B\n1 2\n", new Set([1]))).toThrow("Couldn't find PID field");
});

test("system time is the sum of the first seven columns in nanoseconds", () => {
  expect(parseSystemCpu("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1 1 1 1\n")).toBe(28e7);
});
