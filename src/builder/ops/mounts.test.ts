import { expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecOp } from "../graph/ops.ts";
import type { OpContext } from "./context.ts";
import { type MountInputs, prepareMounts } from "./mounts.ts";

test("what a step puts in the place of a mount point leads nowhere outside of its tree", async () => {
  const folder = mkdtempSync(join(tmpdir(), "havre-mounts-"));
  const [rootfs, outside] = [join(folder, "rootfs"), join(folder, "outside")];
  mkdirSync(rootfs);
  mkdirSync(join(outside, "b"), { recursive: true });
  const tmpfs = (target: string) => ({ type: "tmpfs", target });
  const op = { mounts: [tmpfs("/a/b"), tmpfs("/c"), tmpfs("/d/e")] } as unknown as ExecOp;
  const { signal } = new AbortController();
  const prepared = await prepareMounts({} as OpContext, op, {} as MountInputs, { rootfs, folder }, signal);
  for (const made of ["a/b", "d/e"]) mkdirSync(join(rootfs, made), { recursive: true });
  // As the step can, though something is mounted below.
  renameSync(join(rootfs, "a"), join(rootfs, "aside"));
  symlinkSync(outside, join(rootfs, "a"));
  symlinkSync(join(outside, "b"), join(rootfs, "c"));
  await prepared[Symbol.asyncDispose]();
  expect(existsSync(join(outside, "b"))).toBeTrue();
  expect(readdirSync(rootfs).sort()).toEqual(["a", "aside", "c"]);
  rmSync(folder, { recursive: true });
});
