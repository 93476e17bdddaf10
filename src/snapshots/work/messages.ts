import { type ErrorKind, errnoOf, HavreError, toHavreError } from "../../base/mod.ts";
import type { Job } from "./jobs.ts";

/** What the main thread tells a worker. Chunks change hands without being copied. */
export type ToWorker =
  | { readonly kind: "start"; readonly id: number; readonly job: Job }
  /** The chunk that was wanted; none at the end of input. */
  | { readonly kind: "chunk"; readonly id: number; readonly bytes: Uint8Array | undefined }
  | { readonly kind: "taken"; readonly id: number }
  | { readonly kind: "abort"; readonly id: number };

export type FromWorker =
  | { readonly kind: "want"; readonly id: number }
  | { readonly kind: "output"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: "done"; readonly id: number; readonly result: unknown }
  | { readonly kind: "failed"; readonly id: number; readonly failure: Failure };

export interface Failure {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly hint: string | undefined;
  readonly code: string | undefined;
}

export function failureOf(error: unknown): Failure {
  const { kind, message, hint } = toHavreError(error);
  return { kind, message, hint, code: errnoOf(error) };
}

/** The error as it was, as far as others look at it. */
export function errorFrom({ kind, message, hint, code }: Failure): HavreError {
  const cause = code === undefined ? undefined : Object.assign(new Error(message), { code });
  return new HavreError(kind, message, { cause, ...(hint === undefined ? {} : { hint }) });
}
