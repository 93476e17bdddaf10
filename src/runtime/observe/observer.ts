import { closeSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import {
  acceptUnix,
  listenUnix,
  nativeArchitecture,
  POLLHUP,
  POLLIN,
  pollDescriptors,
  receiveDescriptor,
  SeccompListener,
  type SystemCall,
  SystemCallNames,
} from "../../kernel/mod.ts";
import { refusedBy } from "../../policy/mod.ts";
import type { SeccompProfile } from "../../spec/mod.ts";
import { type Meaning, meaningOf } from "./meaning.ts";
import { programName, ThreadMemory } from "./memory.ts";
import { Outcomes } from "./outcomes.ts";
import { Recorder } from "./recorder.ts";

/** What an observer is told, as a file in its folder. */
export interface ObserverOrder {
  /** Where the runtime hands the filter over. */
  readonly socket: string;
  /** Where what was seen is written (`Observed`). */
  readonly record: string;
  /** What the container's own filter would be; absent: none. */
  readonly profile?: SeccompProfile;
  /** It has a user namespace of its own. */
  readonly ownUsers: boolean;
}

/** Milliseconds between two writings. */
const PERIOD = 250;
/** Milliseconds without a container after which nobody is to come. */
const PATIENCE = 60_000;

/**
 * Answers for the processes of one container every system call that its asking filter asks about, and writes down what
 * they try; a process of its own, which outlives the daemon and ends with the container. Calls that the container's own
 * filter refuses are refused in its place. Blocks its thread: nothing else runs in this process.
 */
export function observe(folder: string): number {
  const order = JSON.parse(readFileSync(join(folder, "order.json"), "utf8")) as ObserverOrder;
  const door = listenUnix(order.socket);
  using outcomes: Outcomes = new Outcomes(join(folder, "trace"), order.ownUsers, () => recorder);
  const { results, capabilities } = outcomes;
  const recorder: Recorder = new Recorder(order.record, { results, capabilities });
  recorder.write(false);
  writeSync(1, "ready\n");
  const observer = new Observer(order.profile, recorder, outcomes);
  try {
    observer.run(door);
    outcomes.collect();
    recorder.write(true);
    return 0;
  } finally {
    closeSync(door);
    rmSync(order.socket, { force: true });
  }
}

class Observer {
  readonly #profile: SeccompProfile | undefined;
  readonly #recorder: Recorder;
  readonly #outcomes: Outcomes;
  readonly #names = new SystemCallNames();
  readonly #listeners: SeccompListener[] = [];

  constructor(profile: SeccompProfile | undefined, recorder: Recorder, outcomes: Outcomes) {
    this.#profile = profile;
    this.#recorder = recorder;
    this.#outcomes = outcomes;
  }

  /** Until the container's first process and all it started are gone. */
  run(door: number): void {
    const began = Date.now();
    let written = began;
    for (;;) {
      const [knock = 0, ...events] = pollDescriptors([door, ...this.#listeners.map(({ fd }) => fd)], PERIOD);
      if (knock & POLLIN) this.#welcome(door);
      const now = Date.now();
      for (const [index, event] of events.entries()) this.#serve(this.#listeners[index], event);
      if (now - written >= PERIOD) {
        this.#outcomes.collect();
        this.#recorder.write(false);
        written = now;
      }
      // The container's own comes first; an exec's goes before it.
      if ((events[0] ?? 0) & POLLHUP) return;
      if (this.#listeners.length === 0 && now - began > PATIENCE) return;
    }
  }

  #welcome(door: number): void {
    const connection = acceptUnix(door);
    try {
      const { descriptor } = receiveDescriptor(connection);
      if (descriptor !== undefined) this.#listeners.push(new SeccompListener(descriptor));
    } finally {
      closeSync(connection);
    }
  }

  #serve(listener: SeccompListener | undefined, event: number): void {
    if (listener === undefined) return;
    if (event & POLLIN) {
      const call = listener.receive();
      if (call) this.#answer(listener, call);
    } else if (event & POLLHUP && listener !== this.#listeners[0]) {
      closeSync(listener.fd);
      this.#listeners.splice(this.#listeners.indexOf(listener), 1);
    }
  }

  #answer(listener: SeccompListener, call: SystemCall): void {
    const { thread, number, architecture, args } = call;
    const name = this.#names.nameOf(architecture, number) ?? `call ${number}`;
    this.#recorder.count(name);
    const native = architecture === nativeArchitecture();
    const refused = native ? refusedBy(this.#profile, name, args) : undefined;
    const counted = this.#recorder.attempt(programName(thread), name, native ? look(name, thread, args) : UNKNOWN);
    if (refused !== undefined) {
      counted.filtered = true;
      listener.refuse(call, refused);
      return;
    }
    this.#outcomes.expect(thread, number, counted);
    listener.allow(call);
  }
}

const UNKNOWN: Meaning = { kind: "call", minor: true };

/** A thread that is gone, or points nowhere, tells nothing. */
function look(name: string, thread: number, args: readonly bigint[]): Meaning {
  let memory: ThreadMemory;
  try {
    memory = new ThreadMemory(thread);
  } catch {
    return UNKNOWN;
  }
  try {
    return meaningOf(name, memory, args, thread);
  } catch {
    return UNKNOWN;
  } finally {
    memory.close();
  }
}
