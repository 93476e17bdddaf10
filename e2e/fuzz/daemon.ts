/** A daemon to feed with wrong input, on a host of its own that has no way out. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Engine, TestDaemon, TwoHosts } from "../harness/mod.ts";
import { Finding, refuseMistakes } from "./surface.ts";

export class FuzzedDaemon implements AsyncDisposable {
  readonly #hosts: TwoHosts;
  readonly #daemon: TestDaemon;
  readonly engine: Engine;
  #read = 0;

  private constructor(hosts: TwoHosts) {
    this.#hosts = hosts;
    this.#daemon = new TestDaemon({ network: hosts.host });
    this.engine = new Engine(this.#daemon);
  }

  /** With an image `bb` and a running container `idle`. */
  static async start(): Promise<FuzzedDaemon> {
    const hosts = new TwoHosts();
    await hosts.make();
    const fuzzed = new FuzzedDaemon(hosts);
    try {
      await fuzzed.#daemon.start();
      await fuzzed.engine.loadBusybox();
      await fuzzed.#prepare();
      return fuzzed;
    } catch (error) {
      await fuzzed[Symbol.asyncDispose]();
      throw error;
    }
  }

  get socket(): string {
    return this.#daemon.socket;
  }
  /** nsenter becomes the daemon. */
  get pid(): number {
    return this.#daemon.pid;
  }
  /** The network namespace of its host, by path. */
  get host(): string {
    return this.#hosts.host;
  }

  /** Whether it is well; what was made meanwhile is removed. */
  async check(): Promise<void> {
    const log = this.#daemon.log.slice(this.#read);
    this.#read += log.length;
    refuseMistakes(log, "see the log");
    if (!(await this.#daemon.answers())) throw new Finding("the daemon does not answer", this.#daemon.log.slice(-2000));
    await this.#removeAll();
    await this.#prepare();
  }

  async #prepare(): Promise<void> {
    const { engine } = this;
    await engine.loadBusybox();
    await engine.ok(["network", "create", "--subnet", "10.99.1.0/24", "idle-net"]);
    await engine.ok([
      "run",
      "-d",
      "--name",
      "idle",
      // Stopped at once, however many ask for it.
      "--stop-signal",
      "KILL",
      "--network",
      "idle-net",
      "-v",
      "fuzz:/data",
      "bb",
      "sleep",
      "86400",
    ]);
  }

  async #removeAll(): Promise<void> {
    const { engine } = this;
    const ids = (await engine.ok(["ps", "-aq"])).split("\n").filter((id) => id !== "");
    if (ids.length > 0) await engine.ok(["rm", "-f", "-v", ...ids], { timeout: 120_000 });
    await engine.ok(["network", "prune", "-f"]);
    await engine.ok(["volume", "prune", "-a", "-f"]);
    const left = readdirSync(join(this.#daemon.run, "containers"));
    if (left.length > 0) throw new Finding("removed containers leave folders", left.join(" "));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (await this.#daemon.answers()) await this.#removeAll();
    this.engine.dispose();
    await this.#daemon[Symbol.asyncDispose]();
    await this.#hosts[Symbol.asyncDispose]();
  }
}
