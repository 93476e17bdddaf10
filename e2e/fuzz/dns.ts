/** The name server of a container, asked from inside by UDP and TCP; between the wrong questions right ones are answered. */

import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { FuzzedDaemon } from "./daemon.ts";
import { Finding, type Outcome, type Surface } from "./surface.ts";

/** Wrong questions that one step stands for. */
const BATCH = 50;

export async function dns(): Promise<Surface & AsyncDisposable & { pid: number }> {
  const daemon = await FuzzedDaemon.start();
  const ask = async (seed: number): Promise<void> => {
    const pid = await daemon.engine.inspect<number>("idle", "{{.State.Pid}}");
    const script = resolve(import.meta.dirname, "dns-client.ts");
    const child = spawn("nsenter", [`--net=/proc/${pid}/ns/net`, process.execPath, script, `${seed}`, `${BATCH}`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise<number | null>((done) => child.once("exit", done));
    const lines: string[] = [];
    for await (const line of createInterface(child.stdout)) lines.push(line);
    if ((await ended) !== 0) throw new Finding(lines.join("\n") || "the client ended", `seed ${seed}`);
  };
  return {
    pid: daemon.pid,
    async feed(random): Promise<Outcome> {
      await ask(random.below(2 ** 31));
      return "taken";
    },
    check: () => daemon.check(),
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}
