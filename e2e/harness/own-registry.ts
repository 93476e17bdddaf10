import { type ChildProcess, spawn } from "node:child_process";
import { HAVRE } from "./daemon.ts";

/** Havre's own registry on a free port of loopback, as long as a test needs it. */
export class OwnRegistry implements AsyncDisposable {
  readonly host: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, host: string) {
    this.#process = process;
    this.host = host;
  }

  /** `folder`: where it keeps its data. */
  static async start(folder: string): Promise<OwnRegistry> {
    const args = ["registry", "serve", "--root", folder, "--listen", "127.0.0.1:0"];
    const child = spawn(HAVRE, args, { stdio: ["ignore", "pipe", "pipe"] });
    const host = await new Promise<string>((resolve, reject) => {
      let told = "";
      const hear = (data: Buffer) => {
        told += data;
        const address = /address=(\S+)/.exec(told)?.[1];
        if (address !== undefined) resolve(address);
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`The registry ended with ${code}: ${told}`)));
    });
    return new OwnRegistry(child, host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    if (this.#process.kill()) await ended;
  }
}
