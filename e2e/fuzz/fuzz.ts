/** The surfaces by name, and one run over one of them. */
import { randomFrom } from "../harness/random.ts";
import { api } from "./api.ts";
import { archives } from "./archives.ts";
import { dns } from "./dns.ts";
import { composeFiles, dockerfiles } from "./languages.ts";
import { registry } from "./registry.ts";
import { registryAnswers } from "./registry-answers.ts";
import { Finding, type Size, type Surface, sizeOf } from "./surface.ts";

type Opened = Surface & Partial<AsyncDisposable & Disposable>;

export const SURFACES: Readonly<Record<string, () => Opened | Promise<Opened>>> = {
  api,
  archives,
  dockerfile: dockerfiles,
  compose: composeFiles,
  dns,
  registry,
  "registry-answers": registryAnswers,
};

export interface Tally {
  readonly taken: number;
  readonly refused: number;
  readonly findings: readonly Finding[];
  /** Of the process that was fed, warm, and at the end. */
  readonly before: Size | undefined;
  readonly after: Size | undefined;
}

/** How long, by time or by number of inputs. */
export interface Extent {
  readonly milliseconds?: number;
  readonly inputs?: number;
}

/** Inputs that are fed at the same time. */
const AT_ONCE = 6;
/** After so many inputs it is looked whether what is fed is well. */
const BETWEEN_CHECKS = 200;
/** What a process that is fed may grow by, from its first check to its last. */
const MAX_GROWTH = 256e6;
const MAX_DESCRIPTORS = 32;
const MAX_FINDINGS = 20;

/** The same inputs for the same seed. Ends early when much is found. */
export async function fuzz(name: string, seed: number, { milliseconds, inputs }: Extent): Promise<Tally> {
  const open = SURFACES[name];
  if (!open) throw new Error(`There is no surface "${name}"`);
  const surface = await open();
  const findings: Finding[] = [];
  const count = { taken: 0, refused: 0 };
  const deadline = performance.now() + (milliseconds ?? Number.POSITIVE_INFINITY);
  const size = () => (surface.pid === undefined ? undefined : sizeOf(surface.pid));
  let before: Size | undefined;
  let next = 0;
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Finding)) throw error;
      findings.push(error);
    }
  };
  const isOver = () =>
    next >= (inputs ?? Number.POSITIVE_INFINITY) || performance.now() >= deadline || findings.length >= MAX_FINDINGS;
  const worker = async (until: number): Promise<void> => {
    while (next < until && !isOver()) {
      // Numbers of its own for each input, whoever comes to it first.
      const random = randomFrom(seed + next++);
      await attempt(async () => {
        count[await surface.feed(random)]++;
      });
    }
  };
  try {
    while (!isOver()) {
      const until = next + BETWEEN_CHECKS;
      await Promise.all(Array.from({ length: AT_ONCE }, () => worker(until)));
      await attempt(async () => surface.check?.());
      before ??= size();
    }
    const after = size();
    if (before && after) {
      if (after.memory - before.memory > MAX_GROWTH)
        findings.push(new Finding("memory grew", JSON.stringify({ before, after })));
      if (after.descriptors - before.descriptors > MAX_DESCRIPTORS)
        findings.push(new Finding("descriptors are left", JSON.stringify({ before, after })));
    }
    return { ...count, findings, before, after };
  } finally {
    await (surface[Symbol.asyncDispose]?.() ?? surface[Symbol.dispose]?.());
  }
}
