import { expect, test } from "bun:test";
import { architecturePage } from "./map.ts";

test("the picture in docs/architecture.md is the table (run `bun scripts/map.ts` after a change)", () => {
  const { now, wanted } = architecturePage();
  expect(now).toBe(wanted);
});
