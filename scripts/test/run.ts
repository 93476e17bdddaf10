/**
 * Runs the gate, then the root tests, and prints `N passed, N failed` last. See `scripts/test.mjs`.
 *
 * Each root test file is a process of its own with a temporary folder of its own, and must leave nothing behind.
 * HAVRE_TEST_SHARED=1 says that others use this machine's kernel meanwhile: only what names that folder is then a leak.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readReport } from "./junit.ts";
import { expectNoLeaks, naming, takeSnapshot } from "./leaks.ts";

const home = resolve(import.meta.dirname, "../..");
const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const checkOnly = process.argv.includes("--check");
const shared = process.env.HAVRE_TEST_SHARED === "1";
const reports = mkdtempSync(join(tmpdir(), "havre-reports-"));

let passed = 0;
let failed = 0;
let skipped = 0;

const files = globSync("{src,scripts,bench,e2e}/**/*.test.ts", { cwd: home })
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();
const isRoot = (file: string): boolean => file.endsWith(".root.test.ts");

if (words.length === 0) {
  step("types", "node_modules/.bin/tsc", []);
  step("lint and format", "node_modules/.bin/biome", ["check", "--error-on-warnings"]);
}
test(
  files.filter((file) => !isRoot(file)),
  ["--parallel=2", "--timeout=20000"],
);
if (!checkOnly) await rootTests(files.filter(isRoot));

rmSync(reports, { recursive: true });
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function step(name: string, command: string, args: readonly string[]): void {
  const started = performance.now();
  const { status } = spawnSync(command, args, { cwd: home, stdio: "inherit" });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok" : "FAILED"}: ${name} (${seconds} s)`);
  if (status === 0) passed += 1;
  else failed += 1;
}

/** One `bun test` process over some files; its report decides, and its exit code where the report is too kind. */
function test(paths: readonly string[], options: readonly string[], environment: Record<string, string> = {}): void {
  if (paths.length === 0) return;
  const report = join(reports, "report.xml");
  const { DOCKER_HOST: _host, DOCKER_CONTEXT: _context, DOCKER_CONFIG: _config, ...inherited } = process.env;
  const ended = spawnSync(
    process.execPath,
    ["test", ...options, "--reporter=junit", `--reporter-outfile=${report}`, ...paths.map((path) => `./${path}`)],
    { cwd: home, stdio: "inherit", env: { ...inherited, ...environment }, timeout: 45 * 60_000, killSignal: "SIGKILL" },
  );
  const totals = readReport(readIfThere(report), paths);
  rmSync(report, { force: true });
  for (const file of totals.absent) console.log(`FAILED: ${file} could not be run to its end`);
  passed += totals.passed;
  skipped += totals.skipped;
  failed += totals.failed;
  if (ended.status !== 0 && totals.failed === 0) {
    failed += 1;
    console.log(`FAILED: ${paths.join(", ")} ended with ${ended.signal ?? ended.status} though no test failed`);
  }
}

async function rootTests(paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  if (process.getuid?.() !== 0) {
    console.log(`FAILED: ${paths.length} files of root tests need root, and this is not root`);
    failed += paths.length;
    return;
  }
  if (paths.some((path) => path.startsWith("e2e/"))) {
    step("build", process.execPath, ["scripts/build.ts"]);
  }
  for (const path of paths) {
    const folder = mkdtempSync(join(tmpdir(), "havre-test-"));
    chmodSync(folder, 0o755); // Tests run programs as other users too.
    const before = takeSnapshot({ folders: ["/run/havre", folder] });
    test([path], ["--isolate", "--timeout=60000"], { TMPDIR: folder });
    try {
      await expectNoLeaks(before, shared ? { only: naming(folder) } : {});
      rmSync(folder, { recursive: true });
    } catch (cause) {
      failed += 1;
      console.log(`FAILED: ${path} left things behind: ${(cause as Error).message}`);
    }
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
