/**
 * Some wrong input for everything that reads what strangers wrote, the same each time; `bun e2e/fuzz/run.ts --minutes 60`
 * goes on for longer, with others.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { fuzz, SURFACES } from "./fuzz/fuzz.ts";

setDefaultTimeout(120_000);

const INPUTS: Readonly<Record<string, number>> = {
  api: 150,
  archives: 200,
  dockerfile: 5_000,
  compose: 500,
  dns: 12,
  registry: 300,
  "registry-answers": 30,
};
const SEED = 20_261_124;

test.each(Object.keys(SURFACES))("wrong input to %s is refused or taken, and nothing breaks", async (name) => {
  const { taken, refused, findings } = await fuzz(name, SEED, { inputs: INPUTS[name] ?? 100 });
  expect(findings.map(({ message, input }) => `${message}\n${input}`)).toEqual([]);
  expect(taken + refused).toBe(INPUTS[name] ?? 100);
  expect(taken).toBeGreaterThan(0);
});
