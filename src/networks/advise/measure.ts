import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { HavreError, toHavreError } from "../../base/mod.ts";
import type { NetworkNamespace } from "../../kernel/mod.ts";
import { Laboratory } from "./lab.ts";

/** What passes between two places. */
export interface Figure {
  /** Median of a byte there and back, microseconds. */
  readonly latency: number;
  /** Bits per second of one TCP connection. */
  readonly throughput: number;
}

export interface ModeFigures {
  readonly mode: "host" | "bridge" | "macvlan";
  /** Between two containers of the mode. */
  readonly between?: Figure;
  /** From outside the host to a container: to its own address, or by a published port. */
  readonly outside?: Figure;
  /** Why there are no figures. */
  readonly problem?: string;
}

const PORT = 5201;
const PUBLISHED = 5202;
/** One measurement takes a second; what does not get through would take minutes to say so. */
const LONGEST_MS = 15_000;

/**
 * Measures each mode on this host; about ten seconds.
 * @param program the measuring program: `serve PORT`, or `ask ADDRESS PORT`, which prints a `Figure` as JSON.
 */
export async function measureModes(program: readonly string[], signal?: AbortSignal): Promise<readonly ModeFigures[]> {
  using lab = new Laboratory();
  const measure = async (from: NetworkNamespace, to: NetworkNamespace, address: string, port = PORT) => {
    signal?.throwIfAborted();
    const server = start(program, to, ["serve", String(PORT)]);
    try {
      await ready(server);
      return await ask(program, from, address, port, signal);
    } finally {
      server.kill("SIGKILL");
    }
  };
  const host = lab.host.namespace;
  const outside = lab.outside.namespace;
  const modes: ModeFigures[] = [
    await attempt("host", signal, async () => ({
      between: await measure(host, host, "127.0.0.1"),
      outside: await measure(outside, host, "198.18.0.1"),
    })),
  ];
  modes.push(
    await attempt("bridge", signal, async () => {
      const [one, two] = await lab.bridge();
      return {
        between: await measure(one, two, "198.19.0.3"),
        outside: await measure(outside, one, "198.18.0.1", PUBLISHED),
      };
    }),
  );
  modes.push(
    await attempt("macvlan", signal, async () => {
      const [one, two] = lab.macvlan();
      return { between: await measure(one, two, "198.18.0.4"), outside: await measure(outside, one, "198.18.0.3") };
    }),
  );
  return modes;
}

/** A mode that this host lacks does not keep the others from being measured. */
async function attempt(
  mode: ModeFigures["mode"],
  signal: AbortSignal | undefined,
  work: () => Promise<Omit<ModeFigures, "mode">>,
): Promise<ModeFigures> {
  try {
    return { mode, ...(await work()) };
  } catch (error) {
    if (signal?.aborted) throw error;
    return { mode, problem: toHavreError(error).message };
  }
}

function start(program: readonly string[], namespace: NetworkNamespace, words: readonly string[]): ChildProcess {
  return spawn("nsenter", [`--net=${namespace.path}`, ...program, ...words], { stdio: ["ignore", "pipe", "ignore"] });
}

async function ready(server: ChildProcess): Promise<void> {
  const ended = once(server, "exit").then(() => {
    throw new HavreError("internal", "The measuring program ended before it listened");
  });
  if (server.stdout) await Promise.race([once(server.stdout, "data"), ended]);
  ended.catch(() => {});
}

async function ask(
  program: readonly string[],
  from: NetworkNamespace,
  address: string,
  port: number,
  signal: AbortSignal | undefined,
): Promise<Figure> {
  const child = start(program, from, ["ask", address, String(port)]);
  const stop = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", stop, { once: true });
  const timer = setTimeout(stop, LONGEST_MS);
  try {
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
    });
    const [code] = await once(child, "close");
    if (code !== 0) throw new HavreError("internal", `Nothing could be measured to ${address}`);
    return JSON.parse(text) as Figure;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    stop();
  }
}
