import type { Outcome } from "../e2e/harness/mod.ts";

/** An engine and the command line that drives it. */
export interface Contender {
  readonly name: string;
  readonly command: (args: readonly string[]) => Promise<Outcome>;
  /** The same for Compose projects: `up`, `down`. */
  readonly compose: Contender["command"];
  /** The daemon's process, where it is known. */
  readonly pid?: number;
}
export interface Settings {
  readonly image: string;
  readonly repeat: number;
  /** Tar of a Debian root file system (mmdebstrap --variant=minbase), for what is measured with images. */
  readonly rootfs: string;
  /** A registry that all engines reach without TLS, `host:port` by engine's name after a comma: `127.0.0.1:5000,docker=10.0.0.1:5000`. */
  readonly registry: string;
}
export interface Measure {
  readonly name: string;
  readonly unit: "ms" | "MB";
  /** NaN: this contender cannot be measured so. */
  take(contender: Contender, settings: Settings): Promise<number>;
}

export async function must(contender: Contender, args: readonly string[]): Promise<Outcome> {
  const outcome = await contender.command(args);
  if (outcome.code !== 0) throw new Error(`${contender.name}: ${args.join(" ")}: ${outcome.stderr}`);
  return outcome;
}

/** Milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** The median of some takes. */
export async function median(takes: number, take: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < takes; turn++) times.push(await take());
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}
