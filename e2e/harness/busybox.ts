import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./process.ts";

/** Writes a tar of a root file system with nothing but a static busybox and two users. */
export async function buildBusyboxTar(path: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "havre-busybox-"));
  chmodSync(folder, 0o755); // It becomes the root folder.
  try {
    for (const name of ["bin", "proc", "sys", "dev", "etc", "tmp", "root", "usr", "var"]) mkdirSync(join(folder, name));
    const busybox = (await run("sh", ["-c", "command -v busybox"])).stdout.trim();
    if (busybox === "") throw new Error("These tests need Debian's busybox-static");
    copyFileSync(busybox, join(folder, "bin/busybox"));
    for (const applet of (await run(busybox, ["--list"])).stdout.trim().split("\n")) {
      if (applet !== "busybox") symlinkSync("busybox", join(folder, "bin", applet));
    }
    writeFileSync(
      join(folder, "etc/passwd"),
      "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    );
    writeFileSync(join(folder, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
    const { code, stderr } = await run("tar", ["-C", folder, "--owner=0", "--group=0", "-cf", path, "."]);
    if (code !== 0) throw new Error(`tar: ${stderr}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
