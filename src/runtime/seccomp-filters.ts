import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../base/mod.ts";
import type { RuntimeSpec, SeccompProfile } from "../spec/mod.ts";

/** Where crun takes a compiled filter from instead of compiling the profile (crun(1)). */
const ANNOTATION = "run.oci.seccomp_bpf_data";
/** Distinct profiles remembered; a host has a handful: one per set of capabilities. */
const CAPACITY = 64;

/**
 * System call filters as crun compiled them. Compiling is the dearest step of a start (some 10 ms): the first container
 * with a profile pays it, crun leaves the program in its state folder, and later containers are handed that program.
 */
export class SeccompFilters {
  readonly #programs = new Map<string, string>();

  /**
   * The specification with the compiled filter when one is known. A user's own annotation of that name is taken out:
   * it would put another filter, or none, in the place of the profile that was decided on.
   */
  prepare(spec: RuntimeSpec): RuntimeSpec {
    const { [ANNOTATION]: _given, ...annotations } = spec.annotations ?? {};
    const { seccomp } = spec.linux;
    // One that asks an observer is the container's own, and must be loaded by who hands its listener over.
    const program = seccomp && seccomp.listenerPath === undefined ? this.#programs.get(keyOf(seccomp)) : undefined;
    if (program === undefined) return spec.annotations === undefined ? spec : { ...spec, annotations };
    return { ...spec, annotations: { ...annotations, [ANNOTATION]: program } };
  }

  /** Keeps what crun compiled for a container it just created; `state` is crun's folder of that container. */
  learn(spec: RuntimeSpec, state: string): void {
    const { seccomp } = spec.linux;
    if (!seccomp || seccomp.listenerPath !== undefined) return;
    const key = keyOf(seccomp);
    if (this.#programs.has(key)) return;
    try {
      const program = readFileSync(join(state, "seccomp.bpf"));
      if (program.byteLength === 0) return;
      const [oldest] = this.#programs.keys();
      if (this.#programs.size >= CAPACITY && oldest !== undefined) this.#programs.delete(oldest);
      this.#programs.set(key, program.toString("base64"));
    } catch (error) {
      // Another version of crun may keep it elsewhere: then every start compiles.
      if (errnoOf(error) !== "ENOENT") throw error;
    }
  }
}

function keyOf(profile: SeccompProfile): string {
  return createHash("sha256").update(JSON.stringify(profile)).digest("base64");
}
