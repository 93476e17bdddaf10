/**
 * Compiles `src/main.ts` and its workers (`src/**` files that end in `-worker.ts`) into one program.
 *
 *     bun scripts/build.ts [OUTPUT]    default: build/havre
 *
 * The program is made beside and renamed into place, so that one that runs is not touched and a build that is killed
 * leaves the old one. It carries the time at which the build began: a source saved meanwhile is newer.
 */
import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { resolve } from "node:path";

const home = resolve(import.meta.dirname, "..");
const output = resolve(process.argv[2] ?? resolve(home, "build/havre"));
const folder = `${output}.${process.pid}.new`;
// The compiler writes the file's name into the program: always the same, so that the same sources make the same bytes.
const beside = resolve(folder, "havre");
const began = new Date();

mkdirSync(folder, { recursive: true });
const workers = globSync("src/**/*-worker.ts", { cwd: home }).sort();
const { BUN_OPTIONS: _options, BUN_BE_BUN: _be, ...environment } = process.env;
const built = spawnSync(
  process.execPath,
  [
    "build",
    "--compile",
    "--minify",
    "--bytecode",
    // Each command and the daemon in a piece of its own: a command loads what it needs, 6 ms less than the whole.
    "--splitting",
    "--format=esm",
    "--target=bun",
    // Most commands end before compiling anything to machine code has paid; src/main.ts lifts it for what lasts.
    "--compile-jit-policy=10",
    // A folder's bunfig.toml and .env would be code and settings from wherever a root program happens to be started.
    "--no-compile-autoload-bunfig",
    "--no-compile-autoload-dotenv",
    `--outfile=${beside}`,
    "src/main.ts",
    ...workers,
  ],
  { cwd: home, env: environment, encoding: "utf8" },
);
if (built.status !== 0) {
  rmSync(folder, { recursive: true, force: true });
  process.stderr.write(`${built.stdout}${built.stderr}${built.error?.message ?? ""}\n`);
  process.exit(1);
}
utimesSync(beside, began, began);
renameSync(beside, output);
rmSync(folder, { recursive: true });
const seconds = ((Date.now() - began.getTime()) / 1000).toFixed(1);
process.stderr.write(`havre: Built ${Math.round(statSync(output).size / 1e6)} MB in ${seconds} s\n`);
