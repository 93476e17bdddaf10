import { expect, test } from "bun:test";
import { runtimeError } from "./runtime-errors.ts";

test.each([
  [
    "crun",
    "2026-11-24T15:31:13.711Z: write file `/proc/thread-self/attr/exec`: No such file or directory",
    "unable to apply apparmor profile: apparmor failed to apply profile: no such file or directory: unknown",
  ],
  [
    "runc",
    'level=error msg="unable to apply apparmor profile: apparmor failed to apply profile: write /proc/self/attr/exec: no such file or directory"',
    "unable to apply apparmor profile: apparmor failed to apply profile: no such file or directory: unknown",
  ],
])("a profile that is not loaded, as %s says it", (_runtime, output, text) => {
  const error = runtimeError({ operation: "create", output });
  expect(error.message).toEndWith(`unable to start container process: ${text}`);
  expect(error.hint).toContain("apparmor_parser");
});
