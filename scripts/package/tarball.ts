/** The archive for any distribution: the same files, and a script that puts them in place. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { files, home, run, type Tree, writeTree } from "./tree.ts";

/** Makes `havre-VERSION-linux-ARCH.tar.gz` in a folder, and returns its path. The same tree makes the same bytes. */
export function makeTarball(into: string, version: string, common: Tree, date: number): string {
  const name = `havre-${version}-linux-${process.arch === "x64" ? "amd64" : process.arch}`;
  const stage = mkdtempSync(join(tmpdir(), "havre-tar-"));
  try {
    const extra: Tree = {
      "havre.service": { content: readFileSync(join(files, "havre.service")) },
      "install.sh": { content: readFileSync(join(files, "install.sh")), mode: 0o755 },
      LICENSE: { content: readFileSync(join(home, "LICENSE")) },
      "README.md": { content: readFileSync(join(home, "docs/packages.md")) },
    };
    const within = Object.entries({ ...common, ...extra }).map(([path, file]) => [`${name}/${path}`, file]);
    writeTree(stage, Object.fromEntries(within), date);
    mkdirSync(into, { recursive: true });
    const output = join(into, `${name}.tar.gz`);
    const same = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"];
    run("tar", [...same, "-C", stage, "-I", "gzip -n", "-cf", output, name]);
    return output;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}
