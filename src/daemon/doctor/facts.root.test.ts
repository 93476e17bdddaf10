import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collectFacts, diagnose } from "./mod.ts";

test("this host is looked at as it is, for a root that does not exist yet", async () => {
  const folder = mkdtempSync(join(tmpdir(), "havre-doctor-"));
  try {
    const facts = await collectFacts({ root: join(folder, "not", "yet"), bridge: "havre0" });
    expect(facts.disk.path).toBe(folder);
    expect(facts.tools.get("crun")?.version).toMatch(/^crun version \d/);
    expect(facts.filesystems).toContain("proc");
    expect(facts.forwardChains).toBeArray();
    // A host on which the root tests run can run containers.
    expect(diagnose(facts).filter(({ status }) => status === "fail")).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
