// `npm test` and `npm run check`. Plain JavaScript, because on a fresh clone it runs before anything is installed.
//
//     npm run check           types, lint, format, the dependency table, unit tests
//     npm test                these, and the root tests; installs what it needs first
//     npm test -- WORD…       only test files whose path holds one of the words
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const home = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..");
const run = (command, args) => spawnSync(command, args, { cwd: home, stdio: "inherit" }).status ?? 1;

const check = process.argv.includes("--check");
if (run("sh", ["scripts/prepare.sh", check ? "--check" : "--test"]) !== 0) {
  console.log("0 passed, 1 failed");
  process.exit(1);
}
process.exit(run("node_modules/.bin/bun", ["scripts/test/run.ts", ...process.argv.slice(2)]));
