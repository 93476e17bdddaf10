/** What checks inside the machine use: a daemon of their own, the command line, cgroup files as the kernel has them. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HAVRE, TestDaemon } from "../../harness/daemon.ts";
import { type Outcome, type RunOptions, run, until } from "../../harness/process.ts";

/** A file of one cgroup: which controller's on version 1, and its name on each. */
export interface CgroupFile {
  readonly v1: readonly [controller: string, file: string];
  readonly v2: string;
}

export class Lab {
  readonly daemon = new TestDaemon({ root: "/var/lib/havre", run: "/run/havre", within: 120_000 });
  readonly version: 1 | 2 = existsSync("/sys/fs/cgroup/cgroup.controllers") ? 2 : 1;
  #done = 0;

  get done(): number {
    return this.#done;
  }

  /** One line on the console: `ok NAME` or `FAILED NAME: why`. */
  async check(name: string, body: () => Promise<void> | void): Promise<void> {
    this.#done += 1;
    try {
      await body();
      console.log(`ok ${name}`);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      console.log(`FAILED ${name}: ${why.trim().replace(/\s*\n\s*/g, " | ")}`);
    }
  }

  havre(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const env = { HAVRE_ROOT: this.daemon.root, HAVRE_RUN: this.daemon.run };
    return run(HAVRE, args, { timeout: 120_000, ...options, env });
  }

  /** As `havre`, must succeed; its standard output without the last newline. */
  async ok(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.havre(args);
    if (code !== 0) throw new Error(`havre ${args.join(" ")} exited with ${code}: ${stdout}${stderr}`);
    return stdout.replace(/\n$/, "");
  }

  inspect(container: string, format: string): Promise<string> {
    return this.ok("inspect", "--format", format, container);
  }

  async pid(container: string): Promise<number> {
    return Number(await this.inspect(container, "{{.State.Pid}}"));
  }

  async api<T>(path: string): Promise<T> {
    const answer = await fetch(`http://havre${path}`, { unix: this.daemon.socket });
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** The file's text in the kernel's tree, for the cgroup that a process is in. */
  kernelFile(pid: number, file: CgroupFile): string {
    return readFileSync(join(this.#folder(pid, file), this.version === 1 ? file.v1[1] : file.v2), "utf8").trim();
  }

  kernelHas(pid: number, file: CgroupFile): boolean {
    return existsSync(join(this.#folder(pid, file), this.version === 1 ? file.v1[1] : file.v2));
  }

  /** Where a container finds the file itself. */
  pathInside(file: CgroupFile): string {
    return this.version === 1 ? `/sys/fs/cgroup/${file.v1.join("/")}` : `/sys/fs/cgroup/${file.v2}`;
  }

  #folder(pid: number, file: CgroupFile): string {
    const lines = cgroupsOf(pid).map((line) => line.split(":"));
    const [controller] = file.v1;
    const own = lines.find(([, names = ""]) =>
      this.version === 2 ? names === "" : names.split(",").includes(controller),
    );
    if (own === undefined) throw new Error(`Process ${pid} is in no cgroup of ${controller}`);
    return join("/sys/fs/cgroup", this.version === 2 ? "" : controller, own.slice(2).join(":"));
  }
}

/** Lines of `/proc/PID/cgroup`. */
export function cgroupsOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/cgroup`, "utf8").trim().split("\n");
}

export function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

/** Waits as long as this slow machine may need. */
export function eventually<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  return until(what, condition, { within: 60_000, interval: 50 });
}
