import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HAVRE } from "./daemon.ts";
import { freePort } from "./ports.ts";
import { type Outcome, run, until } from "./process.ts";

/** `havre registry serve` on a port and a folder of its own. It can be killed and started again on what it left. */
export class ServedRegistry implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "havre-served-"));
  readonly root = join(this.folder, "root");
  log = "";
  port = 0;
  #process: ChildProcess | undefined;

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }
  get url(): string {
    return `http://${this.host}`;
  }
  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** A file in its folder. */
  file(name: string, content: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  /** An htpasswd file in which each name is its own password. */
  async users(...names: readonly string[]): Promise<string> {
    const hash = (name: string) => Bun.password.hash(name, { algorithm: "bcrypt", cost: 4 });
    const lines = await Promise.all(names.map(async (name) => `${name}:${await hash(name)}\n`));
    return this.file("users", lines.join(""));
  }

  async start(...flags: readonly string[]): Promise<void> {
    if (this.port === 0) this.port = await freePort();
    const args = ["registry", "serve", "--root", this.root, "--listen", this.host, ...flags];
    const child = spawn(HAVRE, args, { stdio: ["ignore", "ignore", "pipe"] });
    const before = this.log.length;
    child.stderr.on("data", (data: Buffer) => {
      this.log += data.toString();
    });
    this.#process = child;
    await until("the registry serves", async () => {
      if (child.exitCode !== null) throw new Error(`The registry ended:\n${this.log.slice(before)}`);
      return this.log.slice(before).includes("registry ready");
    });
  }

  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  /** `havre registry VERB --root …`. */
  command(verb: string, ...args: readonly string[]): Promise<Outcome> {
    return run(HAVRE, ["registry", verb, "--root", this.root, ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
