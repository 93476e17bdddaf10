import { type Digest, HavreError, toHavreError } from "../../base/mod.ts";
import type { Vertex } from "../graph/vertex.ts";
import { StepFailed } from "../ops/exec.ts";
import type { LayeredTree, Tree } from "./tree.ts";

/** A build that failed in one of its steps. The message, kind and hint are the cause's. */
export class BuildFailed extends HavreError {
  readonly vertex: Vertex;
  /** Of the step's process, where one ended. */
  readonly exitCode: number | undefined;
  /** The last output of the step. */
  readonly output: string;
  /** The tree that the step began with, where it changes one. */
  readonly before: LayeredTree | undefined;
  /** An image of that tree, where one was asked for. */
  state: Digest | undefined;

  constructor(vertex: Vertex, failure: unknown, output: string, before?: Tree) {
    const { kind, message, hint } = toHavreError(failure);
    super(kind, message, { cause: failure, ...(hint === undefined ? {} : { hint }) });
    this.vertex = vertex;
    this.exitCode = failure instanceof StepFailed ? failure.exitCode : undefined;
    this.output = output;
    this.before = before?.kind === "layers" ? before : undefined;
  }
}

const TAIL = 16 * 1024;

/** The end of what a step printed. */
export class OutputTail {
  #parts: Uint8Array[] = [];
  #size = 0;

  add(data: Uint8Array): void {
    this.#parts.push(data);
    this.#size += data.length;
    if (this.#size > 4 * TAIL) {
      const tail = Buffer.concat(this.#parts).subarray(-TAIL);
      this.#parts = [tail];
      this.#size = tail.length;
    }
  }

  text(): string {
    return Buffer.concat(this.#parts).subarray(-TAIL).toString();
  }
}
