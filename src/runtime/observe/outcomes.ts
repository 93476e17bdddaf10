import { mkdirSync, rmdirSync } from "node:fs";
import { constants } from "node:os";
import { askForCapability, monotonicMicros, type TraceEvent, TraceInstance } from "../../kernel/mod.ts";
import { ALL_CAPABILITIES, decidesCall } from "../../policy/mod.ts";
import type { Counted, Recorder } from "./recorder.ts";

const EXIT = "raw_syscalls/sys_exit";
const CAPABLE = "capability/cap_capable";
/** Ends that tell: refusals, and attempts that changed nothing. */
const TOLD = [
  "ENOENT",
  "EEXIST",
  "EPERM",
  "EACCES",
  "EROFS",
  "EINVAL",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "ECONNREFUSED",
  "ETIMEDOUT",
] as const;
const NAMES = new Map(TOLD.map((name) => [constants.errno[name], name]));

interface Made {
  readonly at: number;
  readonly number: number;
  readonly counted: Counted;
}

/**
 * How calls ended, told by the kernel's trace. A thread that asked waits until it is answered, so what is told of it
 * belongs to the last call it asked about before.
 */
export class Outcomes implements Disposable {
  readonly #trace: TraceInstance | undefined;
  readonly #recorder: () => Recorder;
  readonly #followed = new Set<number>();
  readonly #made = new Map<number, Made[]>();
  readonly #folder: string;

  /** The container has user ids of its own. */
  readonly #ownUsers: boolean;
  /** The user namespace of this process, as events name it. */
  #host: string | undefined;

  constructor(folder: string, ownUsers: boolean, recorder: () => Recorder) {
    this.#ownUsers = ownUsers;
    this.#recorder = recorder;
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    try {
      this.#trace = new TraceInstance(folder, [
        { event: EXIT, filter: TOLD.map((name) => `ret == -${constants.errno[name]}`).join(" || ") },
        { event: CAPABLE, filter: "" },
      ]);
      askForCapability();
    } catch {
      // A kernel without tracefs, or locked down.
    }
  }

  get results(): boolean {
    return this.#trace?.events.has(EXIT) ?? false;
  }

  get capabilities(): boolean {
    return this.#trace?.events.has(CAPABLE) ?? false;
  }

  /** A call of this thread is about to be made. */
  expect(thread: number, number: number, counted: Counted): void {
    if (this.#trace === undefined) return;
    if (!this.#followed.has(thread)) {
      this.#followed.add(thread);
      this.#trace.follow(thread);
    }
    const made = this.#made.get(thread) ?? [];
    made.push({ at: monotonicMicros(), number, counted });
    this.#made.set(thread, made);
  }

  /** Takes in what the kernel told meanwhile. */
  collect(): void {
    const events = this.#trace?.read() ?? [];
    for (const event of events) this.#take(event);
    for (const [thread, made] of this.#made) if (made.length > 1) this.#made.set(thread, made.slice(-1));
    if (events.length > 0) this.#recorder().changed();
  }

  [Symbol.dispose](): void {
    this.#trace?.[Symbol.dispose]();
    try {
      // Mounted in this process's own namespace only; elsewhere it is an empty folder.
      rmdirSync(this.#folder);
    } catch {
      // In use as a mount point here: who started this process removes it.
    }
  }

  #take({ thread, at, event, text }: TraceEvent): void {
    if (thread === process.pid) this.#host ??= /target_ns (\S+),/.exec(text)?.[1];
    const made = this.#made.get(thread)?.findLast((one) => one.at <= at);
    if (made === undefined) return;
    const { counted, number } = made;
    if (event === "sys_exit") {
      const [, nr, ret] = /^NR (-?\d+) = (-?\d+)$/.exec(text) ?? [];
      const name = NAMES.get(-Number(ret));
      if (Number(nr) === number && name !== undefined) counted.failed[name] = (counted.failed[name] ?? 0) + 1;
      return;
    }
    const [, namespace, cap, ret] = /capable_ns (\S+), cap (\d+), ret (-?\d+)/.exec(text) ?? [];
    // What overlayfs does with the rights of who mounted it.
    if (this.#ownUsers && ret === "0" && namespace === this.#host) return;
    const capability = ALL_CAPABILITIES[Number(cap)];
    if (capability === undefined || !decidesCall(capability, counted.call)) return;
    counted.capabilities[capability] = ret === "0" || counted.capabilities[capability] === true;
  }
}
