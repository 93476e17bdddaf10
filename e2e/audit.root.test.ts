/** `havre audit`: what it finds, what its exit code says, and that its remedies mend. */
import { expect, test } from "bun:test";
import { useEngine } from "./harness/engine.ts";

const engine = useEngine();

interface Finding {
  readonly check: string;
  readonly kept: boolean;
  readonly subject: { readonly kind: string; readonly name: string };
  readonly remedy?: string;
}

const HARDENED = [
  ...["--read-only", "--user", "1000", "--security-opt", "no-new-privileges", "--net", "none", "--health-cmd", "true"],
  ...["--memory", "64m", "--cpus", "0.5", "--pids-limit", "64"],
];

async function faults(...args: string[]): Promise<{ readonly code: number; readonly found: readonly Finding[] }> {
  const { code, stdout } = await engine.havre(["audit", "--json", ...args]);
  const findings = JSON.parse(stdout) as Finding[];
  expect(findings.length).toBeGreaterThan(0);
  return { code, found: findings.filter(({ kept }) => !kept) };
}

test("a hardened container keeps everything; a dangerous one fails a pipeline and is told by its names", async () => {
  await engine.ok(["run", "-d", "--name", "e2e-good", ...HARDENED, "bb", "sleep", "1000"]);
  await engine.ok([
    "run",
    "-d",
    "--name",
    "e2e-bad",
    "--privileged",
    "--pid",
    "host",
    "-v",
    "/etc:/mnt",
    "bb",
    "sleep",
    "1000",
  ]);
  expect(await faults("e2e-good")).toEqual({ code: 0, found: [] });
  const bad = await faults("e2e-bad");
  expect(bad.code).toBe(2);
  expect(bad.found.map(({ check }) => check)).toEqual(
    expect.arrayContaining(["privileged", "host-namespaces", "host-folders", "seccomp", "root", "memory"]),
  );
  expect((await faults("--fail-on", "never", "e2e-bad")).code).toBe(0);
  const everything = await faults();
  expect(everything.code).toBe(2);
  expect(new Set(everything.found.map(({ subject }) => subject.kind))).toEqual(new Set(["host", "container", "image"]));
});

test("the command that is its remedy mends it", async () => {
  await engine.ok(["run", "-d", "--name", "e2e-mend", "bb", "sleep", "1000"]);
  const before = (await faults("e2e-mend")).found;
  const remedies = before.flatMap(({ remedy }) => (remedy?.startsWith("havre update ") ? [remedy] : []));
  expect(remedies.length).toBeGreaterThanOrEqual(3);
  for (const remedy of remedies)
    expect(await engine.havre(remedy.split(" ").slice(1))).toMatchObject({ code: 0, stderr: "" });
  const after = (await faults("e2e-mend")).found.map(({ check }) => check);
  expect(before.map(({ check }) => check)).toEqual(expect.arrayContaining(["memory", "cpu", "processes"]));
  for (const mended of ["memory", "cpu", "processes"]) expect(after).not.toContain(mended);
});

test("SARIF names a rule for each result; mistakes are said", async () => {
  await engine.ok(["create", "--name", "e2e-sarif", "bb", "true"]);
  const { runs } = JSON.parse((await engine.havre(["audit", "--sarif", "e2e-sarif"])).stdout);
  const [{ tool, results }] = runs;
  expect(results.length).toBeGreaterThan(20);
  for (const { ruleId, ruleIndex, kind, level } of results) {
    expect(tool.driver.rules[ruleIndex].id).toBe(ruleId);
    expect(level === "none").toBe(kind === "pass");
  }
  const unknown = await engine.havre(["audit", "e2e-nobody"]);
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("No such container: e2e-nobody")]);
  const wrong = await engine.havre(["audit", "--fail-on", "severe"]);
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("low, medium, high or never")]);
});
