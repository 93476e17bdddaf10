import { resolve } from "node:path";
import { refuse } from "./checks.ts";
import { cut } from "./csv.ts";

export interface Volumes {
  /** `source:target[:mode]`, as the daemon takes them. */
  readonly binds: readonly string[];
  /** Anonymous volumes by target. */
  readonly anonymous: Readonly<Record<string, Record<string, never>>>;
}

/** `-v` values (docker/cli, opts.go and compose/loader/volume.go). */
export function parseVolumes(values: readonly string[]): Volumes {
  const binds: string[] = [];
  const anonymous: Record<string, Record<string, never>> = {};
  for (const text of new Set(values)) {
    const parts = splitVolume(text);
    if (parts.length === 1) anonymous[text] = {};
    else binds.push(isPath(parts[0] ?? "") ? withAbsoluteSource(text) : text);
  }
  return { binds, anonymous };
}

function splitVolume(text: string): string[] {
  if (text === "") refuse("invalid empty volume spec");
  if (text.length <= 2) return [text];
  const parts = text.split(":");
  if (parts.some((part) => part === "")) refuse(`invalid spec: ${text}: empty section between colons`);
  if (parts.length > 3) refuse(`invalid spec: ${text}: too many colons`);
  return parts;
}

const isPath = (source: string) => /^[./~]/.test(source);

function withAbsoluteSource(text: string): string {
  const [source, rest = ""] = cut(text, ":");
  return source === "." || source.startsWith("./") ? `${resolve(source)}:${rest}` : text;
}
