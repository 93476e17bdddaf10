import { expect, test } from "bun:test";
import { releaseProgramPages } from "./program-pages.ts";

test("the program's code leaves memory and goes on running", () => {
  const first = releaseProgramPages();
  expect(first).toBeGreaterThan(1 << 20);
  expect(releaseProgramPages()).toBeLessThan(first);
});
