/**
 * Feeds wrong input to everything of Havre that reads what strangers wrote, and prints how it was met.
 *
 *     bun e2e/fuzz/run.ts [--minutes N] [--seed N] [SURFACE…]
 *
 * Surfaces: api, archives, dockerfile, compose, dns, registry, registry-answers. The time is shared out among them.
 * Needs root and `build/havre`. Exit code 1 when something was found; each finding is printed with its input.
 */
import { parseArgs } from "node:util";
import { fuzz, SURFACES, type Tally } from "./fuzz.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: "string", default: "1" }, seed: { type: "string", default: `${Date.now() % 1e6}` } },
});
const names = positionals.length > 0 ? positionals : Object.keys(SURFACES);
for (const name of names) if (SURFACES[name] === undefined) throw new Error(`There is no surface "${name}"`);
const milliseconds = (Number(values.minutes) * 60_000) / names.length;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

function print(name: string, { taken, refused, findings, before, after }: Tally): void {
  const grown =
    before && after
      ? `${megabytes(before.memory)} → ${megabytes(after.memory)} | ${before.descriptors} → ${after.descriptors}`
      : "(this process) | ";
  console.log(`| ${name} | ${taken + refused} | ${taken} | ${refused} | ${grown} | ${findings.length} |`);
  for (const { message, input } of findings) console.error(`${name}: ${message}\n  input: ${JSON.stringify(input)}`);
}

console.log(`Seed ${values.seed}, ${values.minutes} minutes\n`);
console.log("| surface | inputs | taken | refused | memory | descriptors | found |\n|---|---:|---:|---:|---|---|---:|");
let found = 0;
for (const name of names) {
  const tally = await fuzz(name, Number(values.seed), { milliseconds });
  found += tally.findings.length;
  print(name, tally);
}
process.exitCode = found === 0 ? 0 : 1;
