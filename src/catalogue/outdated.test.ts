import { expect, test } from "bun:test";
import { outdatedPackages } from "./outdated.ts";
import { stageOf } from "./root.ts";

test("what apt would upgrade is told by package, with where it comes from", () => {
  const output = [
    "Reading package lists...",
    "Inst libssl3 [3.0.15-1] (3.0.16-1 Debian-Security:12/stable-security [amd64]) []",
    "Inst base-files [12.4] (12.4+deb12u9 Debian:12.9/stable [amd64])",
    "Inst fresh-dependency (1.0 Debian:12.9/stable [amd64])",
    "Conf libssl3 (3.0.16-1 Debian-Security:12/stable-security [amd64])",
  ].join("\n");
  expect(outdatedPackages(output)).toEqual([
    { name: "base-files", installed: "12.4", available: "12.4+deb12u9", security: false },
    { name: "libssl3", installed: "3.0.15-1", available: "3.0.16-1", security: true },
  ]);
});

test("of what mmdebstrap says only its stages are told", () => {
  expect(stageOf("I: downloading packages with apt...")).toBe("Downloading packages");
  expect(stageOf("I: using /tmp/x as tempdir")).toBeUndefined();
});
