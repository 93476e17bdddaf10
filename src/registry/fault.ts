import { type ErrorKind, HavreError, toHavreError } from "../base/mod.ts";

/** Codes of the OCI distribution specification (§ Error Codes), and how each is answered. */
const CODES = {
  BLOB_UNKNOWN: [404, "not-found"],
  BLOB_UPLOAD_INVALID: [400, "invalid-argument"],
  BLOB_UPLOAD_UNKNOWN: [404, "not-found"],
  DIGEST_INVALID: [400, "invalid-argument"],
  MANIFEST_BLOB_UNKNOWN: [404, "not-found"],
  MANIFEST_INVALID: [400, "invalid-argument"],
  MANIFEST_UNKNOWN: [404, "not-found"],
  NAME_INVALID: [400, "invalid-argument"],
  NAME_UNKNOWN: [404, "not-found"],
  SIZE_INVALID: [413, "resource-exhausted"],
  UNAUTHORIZED: [401, "unauthenticated"],
  DENIED: [403, "permission-denied"],
  UNSUPPORTED: [405, "not-implemented"],
  TOOMANYREQUESTS: [429, "resource-exhausted"],
  PAGINATION_NUMBER_INVALID: [400, "invalid-argument"],
  UNAVAILABLE: [503, "unavailable"],
  UNKNOWN: [500, "internal"],
} as const satisfies Record<string, readonly [number, ErrorKind]>;

export type RegistryCode = keyof typeof CODES;

export interface FaultDetail {
  /** Where the code's own status does not fit. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the answer's `detail` holds. */
  readonly detail?: unknown;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A request that is refused: what the client is answered. */
export class RegistryFault extends HavreError {
  readonly code: RegistryCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: unknown;

  constructor(code: RegistryCode, message: string, { status, headers, detail, ...more }: FaultDetail = {}) {
    super(CODES[code][1], message, more);
    this.code = code;
    this.status = status ?? CODES[code][0];
    this.headers = headers ?? {};
    this.detail = detail;
  }
}

/** A quota would be exceeded. */
export function noRoom(repository: string): RegistryFault {
  return new RegistryFault("DENIED", `quota exceeded: ${repository} may not have so much`, { detail: { repository } });
}

/** Any error as it is answered. A full disk is said to be one; what is our fault is not told in detail. */
export function toFault(error: unknown): RegistryFault {
  if (error instanceof RegistryFault) return error;
  const failure = toHavreError(error);
  switch (failure.kind) {
    case "resource-exhausted":
      return new RegistryFault("UNAVAILABLE", "The registry has no space left", { status: 507, cause: error });
    case "unavailable":
      return new RegistryFault("UNAVAILABLE", failure.message, { cause: error });
    case "unauthenticated":
      return new RegistryFault("UNAUTHORIZED", failure.message, { cause: error });
    case "not-implemented":
      return new RegistryFault("UNSUPPORTED", failure.message, { cause: error });
    default:
      return new RegistryFault("UNKNOWN", "The registry failed; its log says why", { cause: error });
  }
}
