/** A registry that answers pulls wrongly: the daemon refuses, keeps nothing of it, and pulls the right image after. */
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { FuzzedDaemon } from "./daemon.ts";
import { encodeRequest, Finding, type Outcome, rawRequest, refuseMistakes, type Surface } from "./surface.ts";

export async function registryAnswers(): Promise<Surface & AsyncDisposable & { pid: number }> {
  const daemon = await FuzzedDaemon.start();
  // It answers where the daemon's loopback is.
  const child = spawn(
    "nsenter",
    [`--net=${daemon.host}`, process.execPath, resolve(import.meta.dirname, "lying-registry.ts")],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const port = await new Promise<number>((told) => child.stdout.once("data", (line) => told(Number(`${line}`))));
  const pull = async (tag: string) => {
    const target = `/v1.45/images/create?fromImage=${encodeURIComponent(`127.0.0.1:${port}/fuzz`)}&tag=${tag}`;
    const request = encodeRequest("POST", target, {}, Buffer.alloc(0));
    const answer = await rawRequest({ path: daemon.socket }, request);
    refuseMistakes(answer?.body ?? "", `tag ${tag}`);
    return answer;
  };
  return {
    pid: daemon.pid,
    async feed(random): Promise<Outcome> {
      // The tag tells the registry how to lie.
      const answer = await pull(`lie${random.below(2 ** 31)}`);
      return answer && answer.status < 400 && !answer.body.includes('"error"') ? "taken" : "refused";
    },
    async check() {
      const answer = await pull("right");
      if (answer === undefined || !/Downloaded newer image|up to date/.test(answer.body))
        throw new Finding(`the right image is not pulled: ${answer?.status} ${answer?.body}`, "right");
      await daemon.check();
    },
    async [Symbol.asyncDispose]() {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill();
      await ended;
      await daemon[Symbol.asyncDispose]();
    },
  };
}
