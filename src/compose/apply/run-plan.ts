import { HavreError, Semaphore, toHavreError } from "../../base/mod.ts";
import { type Plan, type PlannedStep, type Step, subject } from "../plan/step.ts";

/** How a step fares. */
export interface StepEvent {
  readonly id: string;
  readonly step: Step;
  readonly state: "doing" | "done" | "failed";
  /** More about it: how far it is, what it waits for, why it failed. */
  readonly detail?: string;
}

export interface RunOptions {
  readonly signal: AbortSignal;
  readonly onEvent: (event: StepEvent) => void;
  /** Steps at once. */
  readonly limit: number;
}

/** Does one step; `detail` tells how far it is. What it returns is told with its end. */
export type Action = (step: Step, detail: (text: string) => void) => Promise<string | undefined>;

/**
 * Runs a plan: each step as soon as those it comes after are done, as many at once as may be. After a failure nothing
 * more begins; what has begun is waited for, and the first failure is thrown, others beside it.
 */
export async function runPlan(plan: Plan, action: Action, { signal, onEvent, limit }: RunOptions): Promise<void> {
  const slots = new Semaphore(limit);
  const waiting = new Set(plan);
  const done = new Set<string>();
  const failures: HavreError[] = [];
  const running = new Set<Promise<void>>();
  const mayBegin = () => failures.length === 0 && !signal.aborted;

  const run = async ({ id, step }: PlannedStep): Promise<void> => {
    if (!mayBegin()) return;
    onEvent({ id, step, state: "doing" });
    try {
      const detail = await action(step, (text) => onEvent({ id, step, state: "doing", detail: text }));
      onEvent({ id, step, state: "done", ...(detail === undefined ? {} : { detail }) });
      done.add(id);
    } catch (error) {
      const failure = about(step, toHavreError(error));
      failures.push(failure.named);
      const isStopped = signal.aborted && failure.named.kind === "cancelled";
      const detail = isStopped ? "interrupted" : (failure.message.split("\n", 1)[0] ?? "");
      onEvent({ id, step, state: "failed", detail });
    }
  };
  const begin = () => {
    for (const planned of waiting) {
      if (!mayBegin() || !planned.after.every((id) => done.has(id))) continue;
      waiting.delete(planned);
      // A wait takes no slot: it would keep what it waits for from being done.
      const work = planned.step.kind === "wait" ? run(planned) : slots.run(() => run(planned));
      const entry: Promise<void> = work.then(() => {
        running.delete(entry);
        begin();
      });
      running.add(entry);
    }
  };
  begin();
  while (running.size > 0) await Promise.race(running);
  const [first, ...others] = failures;
  if (first) {
    first.cleanUpFailures.push(...others);
    throw first;
  }
  if (signal.aborted) throw new HavreError("cancelled", "Cancelled");
  if (waiting.size > 0)
    throw new HavreError("internal", `Steps wait for each other: ${[...waiting].map(({ id }) => id).join(", ")}`);
}

/** A failure's own words, and with the name of what it befell. */
function about(step: Step, error: HavreError): { readonly message: string; readonly named: HavreError } {
  const message = error.message.replace(/^Error response from daemon: /, "");
  // What is waited for is named already.
  const text = step.kind === "wait" ? message : `${subject(step)}: ${message}`;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  const exitStatus = EXIT_STATUS[step.kind];
  const more = exitStatus === undefined ? {} : { exitStatus };
  return { message, named: new HavreError(error.kind, text, { cause: error, ...hint, ...more }) };
}

/** Docker compose's. */
const EXIT_STATUS: Partial<Readonly<Record<Step["kind"], number>>> = { "build-image": 17, "pull-image": 18 };
