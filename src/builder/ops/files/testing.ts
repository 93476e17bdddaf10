/** An archive as a source, for tests of what is done with sources. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TarMember, writeTar } from "../../../snapshots/mod.ts";
import { TarSource } from "./tar-source.ts";

export function file(path: string, content = "", more: Partial<TarMember["header"]> = {}): TarMember {
  const body = Buffer.from(content);
  return { header: { path, size: body.length, ...more }, body };
}

export function folder(path: string, more: Partial<TarMember["header"]> = {}): TarMember {
  return { header: { path, type: "directory", ...more } };
}

export function link(path: string, linkTarget: string): TarMember {
  return { header: { path, type: "symlink", linkTarget } };
}

export async function sourceOf(...members: readonly TarMember[]): Promise<TarSource> {
  const place = mkdtempSync(join(tmpdir(), "havre-source-"));
  try {
    return await TarSource.read(writeTar(members), join(place, "contents"));
  } finally {
    rmSync(place, { recursive: true });
  }
}
