import { type IncomingMessage, request as plainRequest } from "node:http";
import { type RequestOptions as TlsOptions, request as tlsRequest } from "node:https";
import { errnoOf, HavreError } from "../../base/mod.ts";
import { isRecord, type PluginAddress } from "./discovery.ts";

const MEDIA_TYPE = "application/vnd.docker.plugins.v1.2+json";
/** No answer of this protocol comes near it. */
const LIMIT = 8 << 20;
const NOT_THERE = new Set(["ECONNREFUSED", "ENOENT", "ECONNRESET", "EPIPE", "FailedToOpenSocket"]);

export interface CallOptions {
  /** Milliseconds for the whole call. */
  readonly timeout: number;
  /** Milliseconds for which one that does not accept connections is tried again: plug-ins are restarted. */
  readonly patience: number;
}

/**
 * One call of the plug-in protocol (docs: "Docker Plugin API"). `unavailable`: it cannot be reached; `deadline-exceeded`: it
 * does not answer; `not-found`: it does not know the call; `internal`: what it answered with, in its words.
 */
export async function callPlugin(
  plugin: PluginAddress,
  method: string,
  body: object | undefined,
  { timeout, patience }: CallOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const giveUp = performance.now() + patience;
  for (let wait = 50; ; wait *= 2) {
    try {
      return await once(plugin, method, body, timeout);
    } catch (error) {
      const again = error instanceof NotThere && performance.now() + wait < giveUp;
      if (!again) throw error instanceof NotThere ? error.failure : error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** Nothing was handled: it may be asked again. */
class NotThere extends Error {
  readonly failure: HavreError;
  constructor(failure: HavreError) {
    super(failure.message);
    this.failure = failure;
  }
}

async function once(
  plugin: PluginAddress,
  method: string,
  body: object | undefined,
  timeout: number,
): Promise<Readonly<Record<string, unknown>>> {
  const text = body === undefined ? "" : JSON.stringify(body);
  const headers = { Accept: MEDIA_TYPE, "Content-Type": MEDIA_TYPE, "Content-Length": Buffer.byteLength(text) };
  const options = { ...targetOf(plugin), method: "POST", path: `/${method}`, headers, agent: false };
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const send = "rejectUnauthorized" in options ? tlsRequest : plainRequest;
  const request = send(options, (response) => {
    read(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
  });
  request.on("error", reject);
  request.end(text);
  const timer = setTimeout(() => reject(tooLate(plugin, method, timeout)), timeout);
  try {
    const answer = await promise;
    return interpret(plugin, method, answer);
  } catch (error) {
    if (error instanceof HavreError) throw error;
    const failure = new HavreError("unavailable", `Volume plug-in ${plugin.name} cannot be reached at ${plugin.url}`, {
      cause: error,
      hint: "See whether it runs, and start it again",
    });
    throw NOT_THERE.has(errnoOf(error) ?? "") ? new NotThere(failure) : failure;
  } finally {
    clearTimeout(timer);
    request.destroy();
  }
}

function tooLate({ name }: PluginAddress, method: string, timeout: number): HavreError {
  const message = `Volume plug-in ${name} did not answer ${method} within ${timeout / 1000} s`;
  return new HavreError("deadline-exceeded", message, { hint: "See whether it hangs, and restart it" });
}

function targetOf({ name, url, tls }: PluginAddress): TlsOptions {
  if (url.startsWith("unix://")) return { socketPath: url.slice("unix://".length), host: "plugin" };
  const parsed = URL.canParse(url) ? new URL(url.replace(/^tcp:/, tls ? "https:" : "http:")) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol))
    throw new HavreError("invalid-argument", `Plug-in ${name}: ${JSON.stringify(url)} is no address of a plug-in`);
  const secured = parsed.protocol === "https:";
  return {
    host: parsed.hostname,
    port: parsed.port || (secured ? 443 : 80),
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.certificate === undefined ? {} : { cert: tls.certificate }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
    ...(secured ? { rejectUnauthorized: tls?.insecure !== true } : {}),
  };
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LIMIT)
      throw new HavreError("invalid-argument", `A volume plug-in answered with more than ${LIMIT} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Docker's: a status other than 200, or an `Err` that says something, is a failure in the plug-in's words. */
function interpret(
  { name }: PluginAddress,
  method: string,
  { status, text }: { readonly status: number; readonly text: string },
): Readonly<Record<string, unknown>> {
  let answer: unknown;
  try {
    answer = text.trim() === "" ? {} : JSON.parse(text);
  } catch (cause) {
    if (status === 200)
      throw new HavreError("internal", `Volume plug-in ${name} answered ${method} with something that is not JSON`, {
        cause,
      });
  }
  const fields = isRecord(answer) ? answer : {};
  const complaint = typeof fields.Err === "string" && fields.Err !== "" ? fields.Err : undefined;
  if (status === 200 && complaint === undefined) return fields;
  const why = complaint ?? (text.trim() || `status ${status}`);
  throw new HavreError(status === 404 ? "not-found" : "internal", `${method}: ${why}`);
}
