/**
 * Havre on another kernel than this machine's: Debian 12's own in QEMU, once with version 2 cgroups and once with
 * version 1, each with nothing but that. Takes some minutes without KVM.
 *
 *     npm run test:vm              both machines
 *     npm run test:vm -- v1        one of them
 *
 * Prints a line for each check, `N passed, N failed` last. HAVRE_TEST_KVM=1 uses KVM, HAVRE_TEST_VERBOSE=1 shows all of
 * the machine's console, HAVRE_TEST_VM_SECONDS is how long a machine may take (default 900).
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildBusyboxTar } from "../harness/busybox.ts";
import { boot, makeBase, packPayload } from "./machine.ts";
import { type Report, readConsole } from "./report.ts";

const home = resolve(import.meta.dirname, "../..");
const patience = Number(process.env.HAVRE_TEST_VM_SECONDS ?? 900) * 1000;
const verbose = process.env.HAVRE_TEST_VERBOSE === "1";

const words = process.argv.slice(2);
const versions = ([2, 1] as const).filter((version) => words.length === 0 || words.includes(`v${version}`));

let passed = 0;
let failed = 0;
const payload = mkdtempSync(join(tmpdir(), "havre-payload-"));
try {
  if (process.arch !== "x64") throw new Error(`The machine is an x86-64 one, this is ${process.arch}`);
  if (process.getuid?.() !== 0) throw new Error("Making the machine needs root, and this is not root");
  if (versions.length === 0) throw new Error(`No such machine: ${words.join(" ")} (there are v1 and v2)`);
  if (process.env.HAVRE_TEST_BINARY === undefined) {
    const built = spawnSync(process.execPath, [join(home, "scripts/build.ts")], { stdio: "inherit" });
    if (built.status !== 0) throw new Error("The program cannot be built");
  }
  makeBase();
  packPayload(payload);
  await buildBusyboxTar(join(payload, "bb.tar"));
  for (const version of versions) {
    const report = await test(version);
    passed += report.passed;
    failed += report.failed;
  }
} catch (cause) {
  failed += 1;
  console.log(`FAILED the machine: ${(cause as Error).message}`);
} finally {
  rmSync(payload, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function test(version: 1 | 2): Promise<Report> {
  const started = performance.now();
  const lines: string[] = [];
  const off = await boot({
    cgroups: version,
    payload,
    patience,
    onLine: (line) => {
      lines.push(line);
      if (verbose || /^(ok|FAILED|machine:) /.test(line)) console.log(`v${version} ${line.trimEnd()}`);
    },
  });
  const report = readConsole(lines, off);
  for (const problem of report.problems) console.log(`v${version} FAILED ${problem}`);
  if (report.failed > 0 && !verbose) {
    console.log(`The end of the machine's console:\n${lines.slice(-60).join("\n")}`);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`v${version}: ${report.passed} passed, ${report.failed} failed in ${seconds} s`);
  return report;
}
