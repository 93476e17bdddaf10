import { type ErrorKind, errnoOf, HavreError } from "../../base/mod.ts";
import type { RegistryResponse } from "./http.ts";

/** An answer of a registry that is not a success (OCI distribution specification, § Error Codes). */
export class RegistryError extends HavreError {
  /** Of HTTP. */
  readonly status: number;
  /** `MANIFEST_UNKNOWN` and the like; empty when the body had none. */
  readonly code: string;

  constructor(status: number, code: string, kind: ErrorKind, message: string, hint?: string) {
    super(kind, message, hint === undefined ? {} : { hint });
    this.status = status;
    this.code = code;
  }

  /** The registry may do better next time. */
  get temporary(): boolean {
    return this.status === 429 || this.status === 408 || this.status >= 500;
  }
}

const KIND_OF_STATUS: Readonly<Record<number, ErrorKind>> = {
  400: "invalid-argument",
  401: "unauthenticated",
  403: "permission-denied",
  404: "not-found",
  405: "not-implemented",
  413: "resource-exhausted",
  429: "resource-exhausted",
};

/** Docker's words where an answer has none (one to HEAD never has). */
const WITHOUT_WORDS: Readonly<Record<number, string>> = {
  401: "no basic auth credentials",
  403: "denied: requested access to the resource is denied",
};

/** What an unsuccessful answer says, read to its end. */
export async function registryError(response: RegistryResponse, doing: string): Promise<RegistryError> {
  const { status } = response;
  const body = await response.bytes(64 * 1024).catch(() => new Uint8Array());
  const { code, message } = firstError(Buffer.from(body).toString("utf8"));
  const kind = KIND_OF_STATUS[status] ?? (status >= 500 ? "unavailable" : "failed-precondition");
  const said = code === "" ? message : `${code.toLowerCase().replaceAll("_", " ")}: ${message}`;
  const text = said !== "" ? said : (WITHOUT_WORDS[status] ?? `${doing}: the registry answered ${status}`);
  return new RegistryError(status, code, kind, text, hintFor(response));
}

function hintFor({ status, headers }: RegistryResponse): string | undefined {
  if (status !== 429) return undefined;
  const after = headers.get("retry-after");
  const limit = headers
    .get("ratelimit-limit")
    ?.replace(/;w=(\d+)/, (_all, seconds) => ` in ${Number(seconds) / 3600} h`);
  const wait = after ? `try again in ${after} seconds` : "try again later";
  return `The registry limits how often one may ask${limit ? ` (${limit})` : ""}: sign in, use a mirror, or ${wait}`;
}

function firstError(body: string): { readonly code: string; readonly message: string } {
  try {
    const parsed = JSON.parse(body) as { errors?: readonly { code?: unknown; message?: unknown }[]; details?: unknown };
    const [error] = Array.isArray(parsed.errors) ? parsed.errors : [];
    if (error) {
      const code = typeof error.code === "string" ? error.code : "";
      return {
        code,
        message: typeof error.message === "string" && error.message !== "" ? error.message : code.toLowerCase(),
      };
    }
    if (typeof parsed.details === "string") return { code: "", message: parsed.details };
  } catch {
    // Not JSON: a proxy's page, perhaps.
  }
  const line = body
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return { code: "", message: line.slice(0, 200) };
}

const UNREACHABLE = new Set(["ECONNREFUSED", "ConnectionRefused", "ENOTFOUND", "ETIMEDOUT"]);

/** A host that could not be reached, in the words Docker's users know. `unavailable`. */
export function networkFailure(method: string, url: string, error: unknown): HavreError {
  if (error instanceof HavreError) return error;
  const { host, hostname, origin } = new URL(url);
  const reasons: Readonly<Record<string, string>> = {
    ECONNREFUSED: `dial tcp ${host}: connect: connection refused`,
    ConnectionRefused: `dial tcp ${host}: connect: connection refused`,
    ENOTFOUND: `dial tcp: lookup ${hostname}: no such host`,
    ETIMEDOUT: `${host} does not answer: i/o timeout`,
    ECONNRESET: `read tcp ${host}: connection reset by peer`,
    ConnectionClosed: `${host} closed the connection: unexpected EOF`,
  };
  const code = errnoOf(error) ?? "";
  const message = error instanceof Error ? error.message : String(error);
  const hint = /certificate|self.signed|CERT|UNABLE_TO/i.test(`${code} ${message}`)
    ? `Put the registry's authority into /etc/havre/certs.d/${host}/ca.crt, or start the daemon with --insecure-registry ${host}`
    : undefined;
  // A host that is not there is told as dockerd tells it, which asks for /v2/ before anything else.
  const reason = reasons[code];
  const what = UNREACHABLE.has(code)
    ? `Get "${origin}/v2/"`
    : `${method.charAt(0)}${method.slice(1).toLowerCase()} "${url}"`;
  return new HavreError("unavailable", `${what}: ${reason ?? message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
