/** A request as the registry reads it, whatever server took it. */
export interface RegistryRequest {
  readonly method: string;
  /** Without the query; not decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
  /** The body as it comes: who reads slowly slows the sender. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The client's address. */
  readonly remote: string;
  /** The client speaks TLS with us, or with a proxy before us. */
  readonly secure: boolean;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

/** Part of a file: bytes `start` to before `end`. */
export interface FilePart {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** What is sent as it comes. */
export interface Chunks {
  readonly chunks: AsyncIterable<Uint8Array | string>;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | FilePart | Chunks;
}

export type Handler = (request: RegistryRequest) => Promise<Answer>;

export function jsonAnswer(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
    body: JSON.stringify(value),
  };
}

/** The whole body. `tooLarge` makes what is thrown when it has more than `limit` bytes. */
export async function readBody(request: RegistryRequest, limit: number, tooLarge: () => Error): Promise<Uint8Array> {
  const said = Number(request.header("content-length") ?? 0);
  if (said > limit) throw tooLarge();
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body) {
    size += part.length;
    if (size > limit) throw tooLarge();
    parts.push(part);
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
}
