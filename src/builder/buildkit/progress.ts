import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs as timestamp } from "@bufbuild/protobuf/wkt";
import { type Clock, type Digest, digestOf, type HavreError, toHavreError } from "../../base/mod.ts";
import type { Vertex } from "../graph/vertex.ts";
import { StepFailed } from "../ops/exec.ts";
import type { BuildEvent } from "../solver/events.ts";
import { BuildFailed } from "../solver/failure.ts";
import { stepFailure } from "./failures.ts";
import { type StatusResponse, StatusResponseSchema } from "./wire/control.ts";

type Status = MessageInitShape<typeof StatusResponseSchema>;
type VertexState = NonNullable<Status["vertexes"]>[number];

/** Bytes of one vertex's output that clients are told, BuildKit's own limit. */
const LOG_LIMIT = 2 * 1024 * 1024;
const CLIPPED = `\n[output clipped, log limit ${LOG_LIMIT / 1024 / 1024}MiB reached]\n`;
const STREAMS = { stdout: 1n, stderr: 2n } as const;

/** Where work that is no vertex of the graph tells how far it is. */
export interface Task {
  /** Digest of what it is told under. */
  readonly vertex: string;
  /** `total` 0: unknown. */
  progress(id: string, current: number, total: number, done: boolean): void;
}

/**
 * What happens in a build, as BuildKit's clients are told: vertices with their times, their output, and how far things are. Waits for the
 * one that reads it.
 */
export class Progress {
  readonly #clock: Clock;
  readonly #newId: () => string;
  readonly #vertices = new Map<string, VertexState>();
  readonly #graph = new Map<Digest, Vertex>();
  readonly #logged = new Map<string, number>();
  readonly #begun = new Map<string, number>();
  #waiting: StatusResponse[] = [];
  #wake = Promise.withResolvers<void>();
  #ended = false;

  constructor(clock: Clock, newId: () => string) {
    this.#clock = clock;
    this.#newId = newId;
  }

  event(event: BuildEvent): void {
    switch (event.kind) {
      case "planned":
        this.#tell({ vertexes: event.vertices.filter(isShown).map((vertex) => this.#plan(vertex)) });
        return;
      case "started":
        this.#change(event.vertex, { started: moment(event.at) });
        return;
      case "finished": {
        const state = this.#vertices.get(event.vertex);
        const end = moment(event.at);
        const started = state?.started ?? end;
        const error = event.error === undefined ? {} : { error: this.#words(event.vertex, event.error) };
        this.#change(event.vertex, { started, completed: end, cached: event.cached, ...error });
        return;
      }
      case "log":
        this.#log(event.vertex, event.stream, event.data, event.at);
        return;
      case "progress":
        this.#status(event.vertex, event.id, event.current, event.total, event.done, event.at);
    }
  }

  /** Shows work that is no vertex of the graph under a name of its own. */
  async task<T>(name: string, work: (task: Task) => Promise<T>): Promise<T> {
    const digest = digestOf(this.#newId());
    this.#vertices.set(digest, { digest, name });
    this.#change(digest, { started: moment(this.#clock.now()) });
    const end = (error?: string) =>
      this.#change(digest, {
        completed: moment(this.#clock.now()),
        ...(error === undefined ? {} : { error }),
      });
    try {
      const result = await work({
        vertex: digest,
        progress: (id, current, total, done) => this.#status(digest, id, current, total, done, this.#clock.now()),
      });
      end();
      return result;
    } catch (error) {
      end(toHavreError(error).message);
      throw error;
    }
  }

  /** The vertex that brings a client's files. */
  contextTask(name: string): Task {
    const vertex = [...this.#graph.values()].find(({ op }) => op.kind === "context" && op.name === name);
    return {
      vertex: vertex?.digest ?? "",
      progress: (...how) => {
        if (vertex !== undefined) this.#status(vertex.digest, ...how, this.#clock.now());
      },
    };
  }

  /** A message made by who knows more: warnings. */
  tell(status: Status): void {
    this.#tell(status);
  }

  end(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  /** What is told from now on, and what nobody has read yet. */
  async *read(signal: AbortSignal): AsyncGenerator<StatusResponse> {
    signal.addEventListener("abort", () => this.#wake.resolve(), { once: true });
    while (!signal.aborted) {
      const messages = this.#waiting;
      this.#waiting = [];
      yield* messages;
      if (this.#waiting.length > 0) continue;
      if (this.#ended) return;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
  }

  #words(digest: Digest, error: HavreError): string {
    const vertex = this.#graph.get(digest);
    const exitCode = error instanceof StepFailed || error instanceof BuildFailed ? error.exitCode : undefined;
    return vertex === undefined ? error.message : stepFailure(vertex, error, exitCode);
  }

  #plan(vertex: Vertex): VertexState {
    const { digest, name, inputs } = vertex;
    this.#graph.set(digest, vertex);
    const state = { digest, name, inputs: inputs.filter(isShown).map((input) => input.digest) };
    this.#vertices.set(digest, state);
    return state;
  }

  #change(digest: Digest, change: Partial<VertexState>): void {
    const before = this.#vertices.get(digest);
    if (before === undefined) return;
    const state = { ...before, ...change } as VertexState;
    this.#vertices.set(digest, state);
    this.#tell({ vertexes: [state] });
  }

  #log(vertex: Digest, stream: "stdout" | "stderr", data: Uint8Array, at: number): void {
    const before = this.#logged.get(vertex) ?? 0;
    if (before >= LOG_LIMIT) return;
    this.#logged.set(vertex, before + data.length);
    const fits = data.subarray(0, LOG_LIMIT - before);
    const msg = before + data.length < LOG_LIMIT ? data : Buffer.concat([fits, Buffer.from(CLIPPED)]);
    this.#tell({
      logs: [{ vertex, stream: STREAMS[stream], msg: new Uint8Array(msg), timestamp: moment(at) }],
    });
  }

  #status(vertex: Digest, id: string, current: number, total: number, done: boolean, at: number): void {
    const key = `${vertex} ${id}`;
    const begun = this.#begun.get(key) ?? at;
    this.#begun.set(key, begun);
    const now = moment(at);
    this.#tell({
      statuses: [
        {
          id,
          vertex,
          current: BigInt(current),
          total: BigInt(total),
          timestamp: now,
          started: moment(begun),
          ...(done ? { completed: now } : {}),
        },
      ],
    });
  }

  #tell(status: Status): void {
    if (this.#ended) return;
    this.#waiting.push(create(StatusResponseSchema, status));
    this.#wake.resolve();
  }
}

/** The clock may count parts of a millisecond. */
function moment(at: number) {
  return timestamp(Math.round(at));
}

/** An empty tree is nothing to see. */
function isShown({ op }: Vertex): boolean {
  return op.kind !== "scratch";
}
