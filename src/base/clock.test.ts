import { expect, test } from "bun:test";
import { wallClock } from "./clock.ts";

test("the clock is fine, and follows when the host's is set forwards or back", () => {
  let [wall, fine] = [1000, 1000.25];
  const now = wallClock(
    () => wall,
    () => fine,
  );
  expect(now()).toBe(1000.25);
  [wall, fine] = [1001, 1001.75];
  expect(now()).toBe(1001.75);
  [wall, fine] = [61_002, 1002.5];
  expect(now()).toBe(61_002);
  [wall, fine] = [61_003, 1003.75];
  expect(now()).toBe(61_003.25);
  [wall, fine] = [500, 1004];
  expect(now()).toBe(500);
});
