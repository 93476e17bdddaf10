import { type ErrorKind, HavreError } from "../base/mod.ts";

const KIND_OF_STATUS: Readonly<Record<number, ErrorKind>> = {
  304: "not-modified",
  400: "invalid-argument",
  401: "unauthenticated",
  403: "permission-denied",
  404: "not-found",
  409: "conflict",
  412: "failed-precondition",
  501: "not-implemented",
  503: "unavailable",
  504: "deadline-exceeded",
  507: "resource-exhausted",
};

/** What Docker's own client puts before a daemon's message; scripts look for it. */
export const DAEMON_PREFIX = "Error response from daemon: ";

/** A daemon's error answer (Docker API `ErrorResponse`, plus Havre's `hint`) as a HavreError. */
export function errorFromResponse(status: number, body: string): HavreError {
  const kind = KIND_OF_STATUS[status] ?? "internal";
  const parsed = parseBody(body);
  const message = parsed.message ?? (body.trim() || `request returned status ${status}`);
  return new HavreError(kind, DAEMON_PREFIX + message, parsed.hint === undefined ? {} : { hint: parsed.hint });
}

/** The daemon's own text, without the prefix. */
export function daemonMessage(error: Error): string {
  return error.message.startsWith(DAEMON_PREFIX) ? error.message.slice(DAEMON_PREFIX.length) : error.message;
}

function parseBody(body: string): { message?: string; hint?: string } {
  if (!body.startsWith("{")) return {};
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== "object" || value === null) return {};
    return {
      ...("message" in value && typeof value.message === "string" ? { message: value.message } : {}),
      ...("hint" in value && typeof value.hint === "string" ? { hint: value.hint } : {}),
    };
  } catch {
    return {};
  }
}
