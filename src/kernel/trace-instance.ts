import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../base/mod.ts";
import { check, cstring, libcSymbols } from "./libc.ts";
import { mount, setPropagation } from "./mount.ts";

const libc = libcSymbols({
  unshare: { args: ["int"], returns: "int" },
  chroot: { args: ["ptr"], returns: "int" },
  clock_gettime: { args: ["int", "ptr"], returns: "int" },
});

const CLONE_NEWNS = 0x00020000;
const PREFIX = "havre-";
const BUFFER_KIB = "512";
const CHUNK = 64 * 1024;
const LINE = /^.*?-(\d+)\s+\[\d+\]\s+\S+\s+(\d+)\.(\d+): (\w+): (.*)$/;

/** An event that the kernel told (tracefs). */
export interface TraceEvent {
  readonly thread: number;
  /** Microseconds of CLOCK_MONOTONIC. */
  readonly at: number;
  readonly event: string;
  readonly text: string;
}

/** What is asked of the kernel: an event (`raw_syscalls/sys_exit`) and a filter on its fields. */
export interface TraceRequest {
  readonly event: string;
  readonly filter: string;
}

/**
 * Trace events of some threads, in an instance of tracefs of this process's own: nobody else's tracing is disturbed, and
 * nothing is told of other threads. For a process of its own, whose main thread moves to a private mount namespace.
 */
export class TraceInstance implements Disposable {
  readonly #folder: string;
  readonly #pipe: number;
  readonly #buffer = Buffer.alloc(CHUNK);
  #rest = "";
  /** Those of the events asked for that this kernel has. */
  readonly events: ReadonlySet<string>;

  /** @param at an empty folder to mount tracefs at, where it is seen by this process only. Throws where the kernel has no tracefs, or it is locked. */
  constructor(at: string, requests: readonly TraceRequest[]) {
    check(libc().unshare(CLONE_NEWNS), "unshare", "mount namespace");
    setPropagation("/", "private", true);
    mount({ type: "tracefs", source: "tracefs", options: ["nosuid", "nodev", "noexec"] }, at);
    removeAbandoned(join(at, "instances"));
    this.#folder = join(at, "instances", `${PREFIX}${process.pid}`);
    mkdirSync(this.#folder);
    try {
      this.#write("buffer_size_kb", BUFFER_KIB);
      this.#write("trace_clock", "mono");
      // Nobody's until somebody is followed: an empty list would mean everybody.
      this.#write("set_event_pid", String(process.pid));
      this.events = new Set(requests.filter((request) => this.#enable(request)).map(({ event }) => event));
      this.#pipe = openSync(join(this.#folder, "trace_pipe"), constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      rmdirSync(this.#folder);
      throw error;
    }
  }

  /** Events of this thread are told from now on. */
  follow(thread: number): void {
    try {
      this.#write("set_event_pid", String(thread), "a");
    } catch {
      // Gone meanwhile.
    }
  }

  /** What was told since the last time. */
  read(): readonly TraceEvent[] {
    const found: TraceEvent[] = [];
    for (;;) {
      const length = this.#readSome();
      if (length === 0) return found;
      const lines = (this.#rest + this.#buffer.toString("utf8", 0, length)).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) {
        const [, thread, seconds, micros, event, text] = LINE.exec(line) ?? [];
        if (event !== undefined && text !== undefined)
          found.push({ thread: Number(thread), at: Number(seconds) * 1e6 + Number(micros), event, text });
      }
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#pipe);
    rmdirSync(this.#folder);
  }

  #readSome(): number {
    try {
      return readSync(this.#pipe, this.#buffer);
    } catch (error) {
      if (errnoOf(error) === "EAGAIN") return 0;
      throw error;
    }
  }

  #enable({ event, filter }: TraceRequest): boolean {
    const folder = join("events", event);
    if (!existsSync(join(this.#folder, folder))) return false;
    this.#write(join(folder, "filter"), filter);
    this.#write(join(folder, "enable"), "1");
    return true;
  }

  #write(file: string, text: string, flag: "w" | "a" = "w"): void {
    writeFileSync(join(this.#folder, file), text, { flag });
  }
}

/** Instances of processes that were killed. */
function removeAbandoned(instances: string): void {
  for (const name of readdirSync(instances))
    if (name.startsWith(PREFIX) && !existsSync(`/proc/${name.slice(PREFIX.length)}`))
      try {
        rmdirSync(join(instances, name));
      } catch {
        // Another one does the same.
      }
}

/** Makes the kernel ask for a capability of this thread's, in its own user namespace: changes the root to what it is. */
export function askForCapability(): void {
  libc().chroot(cstring("/"));
}

/** CLOCK_MONOTONIC, in microseconds: the clock of trace events. */
export function monotonicMicros(): number {
  const time = new BigInt64Array(2);
  check(libc().clock_gettime(1, time), "clock_gettime", "CLOCK_MONOTONIC");
  return Number(time[0] ?? 0n) * 1e6 + Math.floor(Number(time[1] ?? 0n) / 1000);
}
