import { type ErrorKind, HavreError, toHavreError } from "../../base/mod.ts";

/** Docker's status of each kind of error. */
const STATUS: Readonly<Record<ErrorKind, number>> = {
  "invalid-argument": 400,
  "not-found": 404,
  "already-exists": 409,
  conflict: 409,
  "failed-precondition": 500,
  "permission-denied": 403,
  unauthenticated: 401,
  "resource-exhausted": 500,
  unavailable: 503,
  cancelled: 500,
  "deadline-exceeded": 500,
  "not-implemented": 501,
  "not-modified": 304,
  "data-loss": 500,
  internal: 500,
};

/** Kinds whose texts programs compare with dockerd's, so that nothing is added to them. */
const VERBATIM: ReadonlySet<ErrorKind> = new Set([
  "invalid-argument",
  "not-found",
  "already-exists",
  "conflict",
  "permission-denied",
  // A request that dockerd finds wrong only when it starts the container.
  "internal",
]);

/** An error whose status Docker decides otherwise than by its kind. */
export class StatusError extends HavreError {
  readonly status: number;

  constructor(status: number, kind: ErrorKind, message: string, cause?: unknown) {
    super(kind, message, { cause });
    this.status = status;
  }
}

/** The same error, said to have happened in doing `what`. */
export function prefixed(what: string, error: HavreError): HavreError {
  const detail = error.hint === undefined ? { cause: error } : { cause: error, hint: error.hint };
  return new HavreError(error.kind, `${what}: ${error.message}`, detail);
}

export interface ErrorAnswer {
  readonly status: number;
  readonly message: string;
  readonly hint: string | undefined;
}

/** What a client is told of any thrown value. */
export function errorAnswer(error: unknown): ErrorAnswer {
  const known = toHavreError(error);
  const status = known instanceof StatusError ? known.status : STATUS[known.kind];
  const { hint } = known;
  if (hint === undefined || VERBATIM.has(known.kind)) return { status, message: known.message, hint };
  return { status, message: `${known.message}: ${hint}`, hint: undefined };
}
