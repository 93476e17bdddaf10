import { existsSync } from "node:fs";
import { join } from "node:path";
import { HavreError } from "../base/mod.ts";
import type { RuntimeBinary } from "./runtime-command.ts";
import { SealedProgram } from "./sealed-program.ts";

/** The programs that containers are made with, each runtime with a state folder of its own below `run`. */
export class Binaries implements Disposable {
  readonly all: ReadonlyMap<string, RuntimeBinary>;
  readonly #run: string;
  /** crun, unless another program was configured under its name. */
  readonly #sealed: SealedProgram | undefined;
  #conmon: string | undefined;

  constructor(run: string, configured: ReadonlyMap<string, RuntimeBinary> = new Map()) {
    this.#run = run;
    this.all = new Map([
      ["crun", { path: Bun.which("crun") ?? "/usr/bin/crun", args: [] }],
      ["runc", { path: Bun.which("runc") ?? "/usr/sbin/runc", args: [] }],
      ...configured,
    ]);
    const crun = this.all.get("crun");
    if (crun !== undefined && !configured.has("crun")) this.#sealed = new SealedProgram(crun.path);
  }

  [Symbol.dispose](): void {
    this.#sealed?.[Symbol.dispose]();
  }

  /** The runtime's folder for its containers' state. */
  stateFolder(runtime: string): string {
    return join(this.#run, "runtime", runtime);
  }

  /** What crun keeps of a container. */
  crunFolder(id: string): string {
    return join(this.stateFolder("crun"), id);
  }

  /** `invalid-argument` for a name that is not configured, `unavailable` when the program is not there. */
  runtime(name: string): RuntimeBinary {
    const binary = this.all.get(name);
    if (binary === undefined) throw new HavreError("invalid-argument", `unknown or invalid runtime name: ${name}`);
    if (!existsSync(binary.path)) throw missing(binary.path, name);
    const path = name === "crun" && this.#sealed ? this.#sealed.path() : binary.path;
    return { path, args: [...binary.args, "--root", this.stateFolder(name)] };
  }

  /** Whether the program of a configured runtime is there. */
  isInstalled(name: string): boolean {
    const binary = this.all.get(name);
    return binary !== undefined && existsSync(binary.path);
  }

  conmon(): string {
    if (this.#conmon === undefined || !existsSync(this.#conmon)) this.#conmon = Bun.which("conmon") ?? undefined;
    if (this.#conmon === undefined) throw missing("conmon", "conmon");
    return this.#conmon;
  }
}

function missing(binary: string, pkg: string): HavreError {
  return new HavreError("unavailable", `The program ${binary} is not installed`, {
    hint: `Install the package ${pkg} (apt-get install ${pkg})`,
  });
}
