import { HavreError, toHavreError } from "../../base/mod.ts";
import type { Vertex } from "../graph/vertex.ts";
import { StepFailed } from "../ops/exec.ts";

/** A build that failed in one of its steps. The message, kind and hint are the cause's. */
export class BuildFailed extends HavreError {
  readonly vertex: Vertex;
  /** Of the step's process, where one ended. */
  readonly exitCode: number | undefined;
  /** The last output of the step. */
  readonly output: string;

  constructor(vertex: Vertex, failure: unknown, output: string) {
    const { kind, message, hint } = toHavreError(failure);
    super(kind, message, { cause: failure, ...(hint === undefined ? {} : { hint }) });
    this.vertex = vertex;
    this.exitCode = failure instanceof StepFailed ? failure.exitCode : undefined;
    this.output = output;
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
