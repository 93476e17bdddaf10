import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run, until } from "./process.ts";

const home = resolve(import.meta.dirname, "../..");
export const HAVRE = process.env.HAVRE_TEST_BINARY ?? join(home, "build/havre");

let count = 0;

export interface DaemonSettings {
  readonly root?: string;
  readonly run?: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds in which it has to answer after a start; default 15,000. */
  readonly within?: number;
  /** Network namespace, by path, that plays the daemon's host; default this machine's own. */
  readonly network?: string;
}

/** A daemon of its own folders, bridge and addresses. It can be killed and started again on what it left. */
export class TestDaemon implements AsyncDisposable {
  readonly folder: string;
  readonly root: string;
  readonly run: string;
  readonly bridge: string;
  readonly subnet: string;
  readonly #settings: DaemonSettings;
  #process: ChildProcess | undefined;
  #log = "";

  constructor(settings: DaemonSettings = {}) {
    const number = (process.pid * 7 + count++) % 4096;
    this.folder = mkdtempSync(join(tmpdir(), "havre-e2e-"));
    // Containers with ids of their own are strangers to this host.
    chmodSync(this.folder, 0o711);
    this.root = settings.root ?? join(this.folder, "root");
    this.run = settings.run ?? join(this.folder, "run");
    this.bridge = `hvt${number}`;
    this.subnet = `10.${192 + (number >> 8)}.${number & 255}.0/24`;
    this.#settings = settings;
  }

  get host(): string {
    return `unix://${this.socket}`;
  }
  get socket(): string {
    return join(this.run, "havre.sock");
  }
  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error("The daemon does not run");
    return pid;
  }
  /** What the daemon wrote, all starts together. */
  get log(): string {
    return this.#log;
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    for (const folder of [this.root, this.run]) mkdirSync(folder, { recursive: true });
    const { DOCKER_HOST: _, ...inherited } = process.env;
    const { network } = this.#settings;
    const [command = HAVRE, ...before] = network === undefined ? [HAVRE] : ["nsenter", `--net=${network}`, HAVRE];
    const child = spawn(
      command,
      // biome-ignore format: flag and value side by side
      [...before, "daemon", "--root", this.root, "--run", this.run, "--bridge", this.bridge, "--subnet", this.subnet, ...(this.#settings.flags ?? [])],
      { stdio: ["ignore", "pipe", "pipe"], env: { ...inherited, ...this.#settings.env } },
    );
    const keep = (data: Buffer): void => {
      this.#log += data.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    this.#process = child;
    await until(
      "the daemon answers",
      async () => {
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`The daemon ended with ${child.exitCode ?? child.signalCode}:\n${this.#log.slice(-4000)}`);
        }
        return this.answers();
      },
      { interval: 5, within: this.#settings.within ?? 15_000 },
    );
  }

  async answers(): Promise<boolean> {
    try {
      return (await fetch("http://havre/_ping", { unix: this.socket })).ok;
    } catch {
      return false;
    }
  }

  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await exited;
  }

  /** As a power cut for the daemon alone. */
  kill(): Promise<void> {
    return this.end("SIGKILL");
  }

  async restart(): Promise<void> {
    await this.end();
    await this.start();
  }

  /**
   * The bridge and its rules stay when a daemon ends, since containers outlive it; when none is left, a test that made
   * them takes them away.
   */
  async removeNetwork(): Promise<void> {
    // A namespace of its own goes with everything in it.
    if (this.#settings.network !== undefined) return;
    for (const name of [this.bridge, `${this.bridge}-out`]) await run("ip", ["link", "del", name]);
    for (const family of ["ip", "ip6"]) await run("nft", ["delete", "table", family, `havre-ports-${this.bridge}`]);
    for (const family of ["inet", "bridge"]) await run("nft", ["delete", "table", family, `havre-${this.bridge}`]);
    await run("nft", ["delete", "table", "inet", `havre-egress-${this.bridge}`]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.removeNetwork();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
