import { readFileSync, realpathSync } from "node:fs";
import { errnoOf, HavreError } from "../../base/mod.ts";

/** One mount of the host, as far as binds depend on it. */
export interface MountPlace {
  readonly mountPoint: string;
  readonly options: readonly string[];
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
    const [left = ""] = line.split(" - ", 1);
    const [, , , , place = "", options = "", ...optional] = left.split(" ");
    const mountPoint = decodeOctal(place);
    if (mountPoint === "") continue;
    const holds = mountPoint === "/" || path === mountPoint || path.startsWith(`${mountPoint}/`);
    // Of several mounts at one place the last is the visible one.
    if (!holds || (best && mountPoint.length < best.mountPoint.length)) continue;
    best = {
      mountPoint,
      options: options.split(","),
      shared: optional.some((word) => word.startsWith("shared:")),
      slave: optional.some((word) => word.startsWith("master:")),
    };
  }
  return best;
}

/** What a bind of a mount must not lose. */
const INHERITED = ["ro", "nosuid", "nodev", "noexec"];

/** The host's mounts, read when first asked for: most containers bind nothing of the user's. */
export class MountTable {
  #text: string | undefined;

  /** The mount that the folder or file `source` is on; undefined when it is not there. */
  find(source: string): MountPlace | undefined {
    let path: string;
    try {
      path = realpathSync(source);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    }
    this.#text ??= readFileSync("/proc/self/mountinfo", "utf8");
    return findMount(this.#text, path);
  }

  /**
   * Restrictions of the mount that `source` is on. crun sets a bind's flags to exactly what it is told: without them
   * a read-only or nosuid mount of the host would be writable and setuid in a container.
   */
  restrictions(source: string): readonly string[] {
    return this.find(source)?.options.filter((option) => INHERITED.includes(option)) ?? [];
  }

  /**
   * What the root's own propagation must be for a bind of `source` with `propagation` to work; undefined: no matter.
   * `failed-precondition` in Docker's words when the source's mount cannot do it.
   */
  rootPropagationFor(source: string, propagation: string): "shared" | "rslave" | undefined {
    if (propagation === "" || propagation.endsWith("private")) return undefined;
    const place = this.find(source);
    const on = `path ${source} is mounted on ${place?.mountPoint ?? "/"}`;
    if (propagation.endsWith("shared")) {
      if (place?.shared) return "shared";
      throw new HavreError("failed-precondition", `${on} but it is not a shared mount`);
    }
    if (place?.shared || place?.slave) return "rslave";
    throw new HavreError("failed-precondition", `${on} but it is not a shared or slave mount`);
  }
}
