/** What went wrong, in the terms every face of Havre maps to its own codes (Docker status, registry code, exit code). */
export type ErrorKind =
  | "invalid-argument"
  | "not-found"
  | "already-exists"
  | "conflict"
  | "failed-precondition"
  | "permission-denied"
  | "unauthenticated"
  | "resource-exhausted"
  | "unavailable"
  | "cancelled"
  | "deadline-exceeded"
  | "not-implemented"
  | "not-modified"
  | "data-loss"
  | "internal";

export interface ErrorDetail {
  /** What the reader can do about it: one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** What a command line exits with, where more than its failing is to be told. */
  readonly exitStatus?: number;
}

/**
 * The one error type. `message` names the object, starts with a capital unless it repeats an established text of the
 * field (Docker's, say), and has no final period.
 */
export class HavreError extends Error {
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly exitStatus: number | undefined;
  /** Clean-ups that failed after this error: shown beside it, never instead of it. */
  readonly cleanUpFailures: unknown[] = [];

  constructor(kind: ErrorKind, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "HavreError";
    this.kind = kind;
    this.hint = detail.hint;
    this.exitStatus = detail.exitStatus;
  }
}

/** True when `error` is a HavreError, of `kind` if one is given. */
export function isHavreError(error: unknown, kind?: ErrorKind): error is HavreError {
  return error instanceof HavreError && (kind === undefined || error.kind === kind);
}

const KIND_OF_ERRNO: Readonly<Record<string, ErrorKind>> = {
  ENOENT: "not-found",
  EEXIST: "already-exists",
  EACCES: "permission-denied",
  EPERM: "permission-denied",
  ENOSPC: "resource-exhausted",
  EDQUOT: "resource-exhausted",
  EMFILE: "resource-exhausted",
  ENFILE: "resource-exhausted",
  ENOMEM: "resource-exhausted",
  EROFS: "unavailable",
  ECONNREFUSED: "unavailable",
  ECONNRESET: "unavailable",
  ETIMEDOUT: "deadline-exceeded",
  EINVAL: "invalid-argument",
};

/** The errno name (`ENOSPC`) that a thrown system error, or the cause of a HavreError, carries. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof HavreError) return errnoOf(error.cause);
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return undefined;
}

/** Any thrown value as a HavreError; a system error keeps its meaning (a full disk is `resource-exhausted`). */
export function toHavreError(error: unknown): HavreError {
  if (error instanceof HavreError) return error;
  if (error instanceof SuppressedError) {
    // Work failed, and then what `using` disposed.
    const known = toHavreError(error.suppressed);
    known.cleanUpFailures.push(error.error);
    return known;
  }
  const code = errnoOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === "AbortError")
    return new HavreError("cancelled", message, { cause: error });
  const kind = (code && KIND_OF_ERRNO[code]) || "internal";
  if (code === "ENOSPC") return new HavreError(kind, message, { cause: error, hint: "Free disk space and try again" });
  return new HavreError(kind, message, { cause: error });
}
