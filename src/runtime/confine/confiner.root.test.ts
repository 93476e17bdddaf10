import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decideLandlock, type LandlockRules } from "../../policy/mod.ts";
import type { ContainerConfig, HostConfig } from "../../spec/mod.ts";
import { confiner, landlockVersion } from "./mod.ts";

const folder = mkdtempSync(join(tmpdir(), "havre-confiner-"));
const program = join(folder, "confiner");
const free = join(folder, "free");

const rules: LandlockRules | undefined = decideLandlock({
  profile: "hardened",
  grants: [],
  hostConfig: {
    NetworkMode: "bridge",
    PidMode: "",
    ReadonlyRootfs: true,
    SecurityOpt: ["no-new-privileges"],
  } as unknown as HostConfig,
  config: {} as ContainerConfig,
  mounts: [{ destination: free, writable: true }],
  version: landlockVersion(),
  otherModule: false,
  runtime: true,
}).rules;

beforeAll(() => {
  if (rules === undefined) throw new Error("This kernel has no Landlock");
  mkdirSync(free);
  writeFileSync(program, confiner(rules) ?? "");
  writeFileSync(join(free, "script"), "#!/bin/sh\necho script $0 $1\n");
  writeFileSync(join(free, "text"), "echo no program\n");
  for (const path of [program, join(free, "script"), join(free, "text")]) chmodSync(path, 0o755);
  writeFileSync(join(free, "closed"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(args: readonly string[], env: Record<string, string> = { PATH: "/nowhere:/usr/bin:/bin" }) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([program, ...args], { env, cwd: free });
  return { code: exitCode, out: stdout.toString(), err: stderr.toString() };
}

test("nothing is left of it but the rules: arguments, environment and name are the command's", () => {
  const { out } = run(["sh", "-c", 'tr "\\0" " " </proc/$$/cmdline; cat /proc/$$/comm; env'], {
    PATH: "/bin",
    A: "b c",
  });
  expect(out).toStartWith("sh -c tr ");
  expect(out).toContain("sh\n");
  expect(out).toContain("A=b c\n");
});

test.each([
  ["by PATH", "script", { PATH: `/nowhere::${free}` }],
  ["by an empty folder of PATH, which is the current one", "script", { PATH: "/nowhere::/bin" }],
  ["by its path", "./script", { PATH: "/bin" }],
])("a command is found %s", (_, command, env) => {
  expect(run([command, "x"], env).out).toMatch(/^script .*script x\n$/);
});

test.each([
  [["no-such"], "exec container process (missing dynamic library?) `no-such`: No such file or directory\n"],
  [["/no/such"], "exec container process (missing dynamic library?) `/no/such`: No such file or directory\n"],
  [["./text"], "exec container process `./text`: Exec format error\n"],
  [["./closed"], "exec container process `./closed`: Permission denied\n"],
])("what cannot be run is told as crun does: %j", (args, told) => {
  expect(run(args)).toEqual({ code: 1, out: "", err: told });
});

test("without PATH a bare name is not found", () => {
  expect(run(["sh"], {}).code).toBe(1);
});

test("the rules hold for what it becomes and all that starts", () => {
  const outside = join(folder, "outside");
  const script = `echo x >${outside}; (echo y >${free}/inside; cat ${free}/inside); echo >/dev/null && echo device; mount -t tmpfs none ${free}`;
  const { out, err } = run(["sh", "-c", script]);
  expect(out).toBe("y\ndevice\n");
  expect(err).toMatch(/outside: Permission denied/);
  expect(err).toMatch(/mount: .*(permission denied|must be superuser|not permitted)/i);
});

test("what it was started with is still its own", () => {
  expect(run(["sh", "-c", "cat /dev/stdin; echo read"])).toEqual({ code: 0, out: "read\n", err: "" });
});
