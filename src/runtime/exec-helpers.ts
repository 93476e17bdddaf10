import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, errnoOf, type Logger } from "../base/mod.ts";
import type { CgroupHost } from "../kernel/mod.ts";

/** Milliseconds after which an exec is not a short one any more. */
const SHORT = 20;

/**
 * The runtime's own processes that wait for execs. They have entered the container's cgroup so that the exec is born
 * there, but are no part of the container: its list of processes leaves them out, and those that stay are moved out.
 * Moving another process makes the kernel wait (some milliseconds a tree), so it is done aside, and never for short execs.
 */
export class ExecHelpers {
  readonly #host: CgroupHost;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #pids = new Set<number>();

  constructor(host: CgroupHost, clock: Clock, logger: Logger) {
    this.#host = host;
    this.#logger = logger;
    this.#clock = clock;
  }

  has(pid: number): boolean {
    return this.#pids.has(pid);
  }

  /** `ended`: settles when the process has. */
  add(pid: number, ended: Promise<unknown>): void {
    this.#pids.add(pid);
    const short = new AbortController();
    void ended.finally(() => {
      this.#pids.delete(pid);
      short.abort();
    });
    void this.#clock.sleep(SHORT, short.signal).then(
      () => this.#moveOut(pid),
      () => {},
    );
  }

  async #moveOut(pid: number): Promise<void> {
    try {
      for (const file of ownTaskFiles(this.#host)) if (this.#pids.has(pid)) await writeFile(file, String(pid));
    } catch (error) {
      if (errnoOf(error) !== "ESRCH")
        this.#logger.warn("A runtime's process stays in a container's cgroup", { pid, error });
    }
  }
}

/** The daemon's own cgroup in every version 1 tree (cgroups(7), /proc/PID/cgroup). */
function ownTaskFiles(host: CgroupHost): string[] {
  const files: string[] = [];
  for (const line of readFileSync("/proc/self/cgroup", "utf8").split("\n")) {
    const [, controllers = "", path = "/"] = line.split(":");
    const name = controllers.split(",")[0]?.replace(/^name=/, "");
    const mount = name ? host.mounts.get(name) : undefined;
    if (mount !== undefined) files.push(join(mount, path, "tasks"));
  }
  return files;
}
