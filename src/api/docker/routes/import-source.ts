import { type ErrorKind, HavreError } from "../../../base/mod.ts";

const KINDS: Readonly<Record<number, ErrorKind>> = {
  400: "invalid-argument",
  401: "unauthenticated",
  403: "permission-denied",
  404: "not-found",
};
/** Of a refusal's text, what is handed on. */
const MAX_REFUSAL = 4096;

/** Where `docker import` gets its archive from when it is not the request's body: a web address, `http://` unless it says otherwise. */
export function importAddress(source: string): URL {
  try {
    return new URL(source.includes("://") ? source : `http://${source}`);
  } catch (error) {
    throw new HavreError("invalid-argument", `${JSON.stringify(source)} is not a web address`, { cause: error });
  }
}

/** Asks for the archive; its answer's status decides the kind of error. */
export async function download(
  address: URL,
  signal: AbortSignal,
): Promise<{ readonly body: AsyncIterable<Uint8Array>; readonly size: number | undefined }> {
  if (address.protocol !== "http:" && address.protocol !== "https:") {
    throw new HavreError("invalid-argument", `unsupported protocol scheme "${address.protocol.replace(":", "")}"`);
  }
  let response: Response;
  try {
    response = await fetch(address, { signal });
  } catch (error) {
    throw new HavreError("unavailable", `failed to GET ${address}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  if (!response.ok || !response.body) {
    const text = (await response.text()).slice(0, MAX_REFUSAL).trim();
    const message = `failed to GET ${address} with status ${response.status} ${response.statusText}: ${text}`;
    throw new HavreError(KINDS[response.status] ?? "unavailable", message);
  }
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  return { body: response.body, size: Number.isNaN(length) ? undefined : length };
}
