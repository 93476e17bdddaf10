import { readFileSync, realpathSync } from "node:fs";
import { HavreError } from "../../base/mod.ts";
import type { Propagation } from "../../spec/mod.ts";

interface MountPlace {
  readonly mountPoint: string;
  readonly shared: boolean;
  readonly slave: boolean;
}

/** mountinfo writes space, tab, newline and backslash in octal. */
function decodeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** The mount that `path` is on, out of a /proc/PID/mountinfo text (proc(5)). */
export function findMount(mountinfo: string, path: string): MountPlace | undefined {
  let best: MountPlace | undefined;
  for (const line of mountinfo.split("\n")) {
    const [left] = line.split(" - ");
    const fields = (left ?? "").split(" ");
    const mountPoint = decodeOctal(fields[4] ?? "");
    if (mountPoint === "") continue;
    const holds = mountPoint === "/" || path === mountPoint || path.startsWith(`${mountPoint}/`);
    // Of several mounts at one place the last is the visible one.
    if (!holds || (best && mountPoint.length < best.mountPoint.length)) continue;
    const optional = fields.slice(6);
    best = {
      mountPoint,
      shared: optional.some((word) => word.startsWith("shared:")),
      slave: optional.some((word) => word.startsWith("master:")),
    };
  }
  return best;
}

/**
 * What the root's own propagation must be for a bind of `source` with `propagation` to work; undefined: no matter.
 * `failed-precondition` in Docker's words when the source's mount cannot do it.
 */
export function rootPropagationFor(source: string, propagation: Propagation): "shared" | "rslave" | undefined {
  if (propagation === "" || propagation.endsWith("private")) return undefined;
  const place = findMount(readFileSync("/proc/self/mountinfo", "utf8"), realpathSync(source));
  const on = place?.mountPoint ?? "/";
  if (propagation.endsWith("shared")) {
    if (place?.shared) return "shared";
    throw new HavreError("failed-precondition", `path ${source} is mounted on ${on} but it is not a shared mount`);
  }
  if (place?.shared || place?.slave) return "rslave";
  throw new HavreError(
    "failed-precondition",
    `path ${source} is mounted on ${on} but it is not a shared or slave mount`,
  );
}
