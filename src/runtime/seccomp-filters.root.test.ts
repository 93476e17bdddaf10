import { expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deferred, newId, silentLogger } from "../base/mod.ts";
import { decideSeccomp } from "../policy/mod.ts";
import type { RuntimeSpec } from "../spec/mod.ts";
import { ConmonRuntime } from "./conmon.ts";

const KEY = "run.oci.seccomp_bpf_data";

function specOf(rootfs: string, script: string): RuntimeSpec {
  const { profile } = decideSeccomp("", false, { architecture: "amd64", kernel: "6.1", capabilities: [] });
  return {
    ociVersion: "1.0.2",
    root: { path: rootfs },
    process: { user: { uid: 0, gid: 0 }, args: ["/busybox", "sh", "-c", script], env: [], cwd: "/" },
    mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
    annotations: { [KEY]: "AAAA", kept: "yes" },
    linux: {
      namespaces: [{ type: "mount" }, { type: "pid" }],
      cgroupsPath: `/havre-filters-${process.pid}`,
      ...(profile ? { seccomp: profile } : {}),
    },
  };
}

test("the second container with a profile gets the filter that the first one compiled, and is held by it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "havre-filters-"));
  const rootfs = join(folder, "rootfs");
  for (const name of ["proc", "sys", "dev"]) mkdirSync(join(rootfs, name), { recursive: true });
  cpSync(Bun.which("busybox") ?? "", join(rootfs, "busybox"));
  using runtime = new ConmonRuntime({ run: join(folder, "run"), logger: silentLogger });
  await runtime.recover();
  const annotations: unknown[] = [];
  for (const name of ["first", "second"]) {
    const id = newId();
    const bundle = join(folder, name);
    mkdirSync(bundle);
    const ended = deferred<number>();
    using _listener = runtime.onExit((exit) => exit.id === id && ended.resolve(exit.code));
    const script = `(/busybox grep Seccomp: /proc/self/status; /busybox unshare -U /busybox true 2>&1) > /${name}`;
    await runtime.create({
      id,
      runtime: "crun",
      bundle,
      spec: specOf(rootfs, script),
      stdio: { terminal: false, stdin: false, stdinOnce: false },
      log: { maxSize: 1 << 20 },
    });
    annotations.push(JSON.parse(readFileSync(join(bundle, "config.json"), "utf8")).annotations);
    await runtime.start(id, "crun");
    await ended.promise;
    await runtime.delete(id, "crun", bundle);
    const seen = readFileSync(join(rootfs, name), "utf8");
    expect(seen).toContain("Seccomp:\t2");
    expect(seen).toContain("Operation not permitted");
  }
  expect(annotations[0]).toEqual({ kept: "yes" });
  expect(annotations[1]).toEqual({ kept: "yes", [KEY]: expect.stringMatching(/^[A-Za-z0-9+/=]{1000,}$/) });
  rmSync(folder, { recursive: true });
});
