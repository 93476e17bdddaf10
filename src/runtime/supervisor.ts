import { writeSync } from "node:fs";
import { HavreError } from "../base/mod.ts";
import { killGroup, Pipe, watchSocket } from "../kernel/mod.ts";
import { runtimeEnvironment } from "./runtime-command.ts";

export interface SupervisorRequest {
  readonly conmon: string;
  readonly args: readonly string[];
  readonly folder: string;
  /** Milliseconds until a runtime that does not answer is given up. */
  readonly timeout: number;
  /** Wraps the start of its process, which is synchronous. */
  readonly within?: <T>(start: () => T) => T;
  /** A descriptor the supervisor keeps open as long as it lives. */
  readonly keep?: number;
  /** What the runtime needs: the supervisor starts meanwhile and lets the runtime go afterwards, or is killed when this fails. */
  readonly ready?: Promise<unknown>;
  /** An exec whose output must not start before somebody is attached: done between the supervisor's being ready and its go. */
  readonly attach?: () => Promise<void>;
}

export interface Supervisor {
  readonly pid: number;
  /** The process id the supervisor reports first. */
  readonly containerPid: number;
  /** Later reports (an exec's exit code), undefined when it ended without one. */
  readonly nextReport: () => Promise<Report | undefined>;
  readonly ended: Promise<void>;
  /** Nothing more is to be heard: gives the descriptors back. */
  readonly hangUp: () => void;
}

interface Report {
  readonly data: number;
  readonly message: string | undefined;
}

/** What the supervisor says on its synchronisation pipe: one JSON object a line. */
class ReportReader {
  #text = "";
  readonly #reports: Report[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  push(bytes: Uint8Array): void {
    this.#text += Buffer.from(bytes).toString("utf8");
    for (let end = this.#text.indexOf("\n"); end >= 0; end = this.#text.indexOf("\n")) {
      this.#reports.push(parseReport(this.#text.slice(0, end)));
      this.#text = this.#text.slice(end + 1);
    }
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async next(): Promise<Report | undefined> {
    while (this.#reports.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#reports.shift();
  }
}

/** The supervisor escapes control characters loosely, so its line is not always strict JSON. */
function parseReport(line: string): Report {
  const data = Number(/"(?:data|pid|exit_code)": *(-?\d+)/.exec(line)?.[1] ?? -1);
  const quoted = /"message": *"((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  const message = quoted
    ?.replace(/\\n/g, "\n")
    .replace(/\\t/g, "\t")
    .replace(/\\u00([0-9a-f ]{2})/g, "")
    .replace(/\\(.)/g, "$1");
  return { data, message };
}

/** The runtime refused: its own words. */
export class RuntimeRefusal extends Error {
  readonly code: number;
  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

/**
 * Starts conmon in its own session with a synchronisation pipe and waits for its first report.
 * Throws RuntimeRefusal with the runtime's message, `deadline-exceeded` when nothing comes, `internal` when conmon dies.
 */
export async function startSupervisor(request: SupervisorRequest): Promise<Supervisor> {
  const ended = Promise.withResolvers<void>();
  using gate = request.attach === undefined && request.ready === undefined ? undefined : new Pipe();
  const { within = (start) => start() } = request;
  const child = within(() =>
    Bun.spawn([request.conmon, ...request.args], {
      cwd: request.folder,
      stdio: ["ignore", "ignore", "pipe", "pipe", ...extraDescriptors(request, gate)],
      env: {
        ...runtimeEnvironment(),
        // Log lines carry UTC.
        TZ: "UTC0",
        _OCI_SYNCPIPE: "3",
        ...(gate ? { _OCI_STARTPIPE: "5" } : {}),
        ...(request.attach ? { _OCI_ATTACHPIPE: "4" } : {}),
      },
      detached: true,
      onExit: () => ended.resolve(),
    }),
  );
  child.unref();
  const reports = await readReports(child.stdio[3]);
  if (gate) {
    try {
      await request.ready;
    } catch (error) {
      killGroup(child.pid);
      await ended.promise;
      throw error;
    }
    // It waits for a byte before anything.
    writeSync(gate.write, "0");
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), request.timeout);
  });
  const begin = async () => {
    if (request.attach && gate) {
      // It waits for another byte before it lets the process go.
      using ready = await readReports(child.stdio[4]);
      if ((await ready.next()) !== undefined) {
        await request.attach();
        writeSync(gate.write, "0");
      }
    }
    return await reports.next();
  };
  const first = await Promise.race([begin(), late]).finally(() => clearTimeout(timer));
  if (first !== undefined) void child.stderr.cancel();
  if (first === "late") {
    // The supervisor hands SIGTERM on to the runtime; the whole session goes with it.
    killGroup(child.pid);
    throw new HavreError(
      "deadline-exceeded",
      `The container runtime did not answer within ${request.timeout / 1000} s`,
      {
        hint: "See whether the disk or the kernel is stuck, then try again",
      },
    );
  }
  if (first === undefined) {
    await ended.promise;
    const text = (await new Response(child.stderr).text()).trim();
    throw new HavreError("internal", `The container supervisor ended early: ${text || `exit code ${child.exitCode}`}`);
  }
  if (first.data < 0) throw new RuntimeRefusal((first.message ?? "").trim(), -first.data);
  return {
    pid: child.pid,
    containerPid: first.data,
    nextReport: () => reports.next(),
    ended: ended.promise,
    hangUp: () => reports[Symbol.dispose](),
  };
}

function extraDescriptors(request: SupervisorRequest, gate: Pipe | undefined): (number | "pipe" | "ignore")[] {
  const { keep } = request;
  if (gate !== undefined) return [request.attach ? "pipe" : (keep ?? "ignore"), gate.read];
  return keep === undefined ? [] : [keep];
}

async function readReports(descriptor: unknown): Promise<ReportReader & Disposable> {
  if (typeof descriptor !== "number") throw new HavreError("internal", "The supervisor's pipe could not be made");
  const reports = new ReportReader();
  const socket = await watchSocket(descriptor, { data: (bytes) => reports.push(bytes), close: () => reports.end() });
  return Object.assign(reports, { [Symbol.dispose]: () => socket.close() });
}
