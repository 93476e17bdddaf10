import { create, toBinary } from "@bufbuild/protobuf";
import { type ErrorKind, HavreError, isHavreError } from "../../../base/mod.ts";
import { StatusSchema } from "../wire/status.ts";

/** gRPC status codes (grpc.io, Status codes and their use in gRPC). */
export const CODE = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

/** A fact about an error that a BuildKit client knows to show: its type and its value as JSON. */
export interface ErrorDetail {
  /** `github.com/moby/buildkit/errdefs.Source+json` */
  readonly type: string;
  readonly value: unknown;
}

/** An error as it goes over the wire. */
export class RpcError extends Error {
  readonly code: number;
  readonly details: readonly ErrorDetail[];

  constructor(code: number, message: string, details: readonly ErrorDetail[] = []) {
    super(message);
    this.name = "RpcError";
    this.code = code;
    this.details = details;
  }
}

// What is wrong in a Dockerfile or a step has no code of its own: clients show a code's name before the message.
const CODES: Readonly<Partial<Record<ErrorKind, number>>> = {
  cancelled: CODE.cancelled,
  "deadline-exceeded": CODE.deadlineExceeded,
  "not-implemented": CODE.unimplemented,
  "permission-denied": CODE.permissionDenied,
  unauthenticated: CODE.unauthenticated,
  unavailable: CODE.unavailable,
};

export function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === "AbortError") return new RpcError(CODE.cancelled, message);
  return new RpcError((isHavreError(error) && CODES[error.kind]) || CODE.unknown, message);
}

/** An answer's trailers. */
export function trailersOf({ code, message, details }: RpcError): Record<string, string> {
  const trailers: Record<string, string> = { "grpc-status": String(code), "grpc-message": percentEncoded(message) };
  if (details.length > 0) {
    const anys = details.map(({ type, value }) => ({ typeUrl: type, value: Buffer.from(JSON.stringify(value)) }));
    const status = create(StatusSchema, { code, message, details: anys });
    trailers["grpc-status-details-bin"] = Buffer.from(toBinary(StatusSchema, status))
      .toString("base64")
      .replace(/=+$/, "");
  }
  return trailers;
}

/** What the trailers of an answer say; undefined: all went well. */
export function errorOf(trailers: Readonly<Record<string, unknown>>): HavreError | undefined {
  const code = Number(trailers["grpc-status"] ?? CODE.unknown);
  if (code === CODE.ok) return undefined;
  const message = decoded(String(trailers["grpc-message"] ?? "")) || `The client answered with status ${code}`;
  return new HavreError(KINDS[code] ?? "unavailable", message);
}

const KINDS: Readonly<Record<number, ErrorKind>> = {
  [CODE.cancelled]: "cancelled",
  [CODE.invalidArgument]: "invalid-argument",
  [CODE.deadlineExceeded]: "deadline-exceeded",
  [CODE.notFound]: "not-found",
  [CODE.permissionDenied]: "permission-denied",
  [CODE.resourceExhausted]: "resource-exhausted",
  [CODE.unimplemented]: "not-implemented",
  [CODE.unauthenticated]: "unauthenticated",
};

/** gRPC over HTTP/2, § Responses: all but printable ASCII, and the percent sign itself. */
function percentEncoded(text: string): string {
  const bytes = [...Buffer.from(text)];
  return bytes
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
