import { type WebSocket, WebSocketServer } from "ws";
import type { StreamSession } from "../../engine/mod.ts";
import type { Exchange } from "./exchange.ts";

/** Input held for a slow process before the client is cut off: a WebSocket cannot be asked to wait. */
const INPUT_LIMIT = 8 * 1024 * 1024;
const TOO_BIG = 1009;
const NORMAL = 1000;

/** Answers the handshake; undefined when the request was none (the refusal is sent already). */
export function acceptWebSocket({ request, upgrade }: Exchange): Promise<WebSocket> | undefined {
  if (!upgrade || String(request.headers.upgrade).toLowerCase() !== "websocket") return undefined;
  const server = new WebSocketServer({ noServer: true, maxPayload: INPUT_LIMIT });
  return new Promise((resolve) => server.handleUpgrade(request, upgrade.socket, upgrade.head, resolve));
}

function send(client: WebSocket, data: Uint8Array, binary: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    client.send(data, { binary }, (error) => (error ? reject(error) : resolve()));
  });
}

/** Joins a WebSocket and a session: every message is input, output comes as messages; both streams in one. */
export async function joinWebSocket(client: WebSocket, session: StreamSession, binary: boolean): Promise<void> {
  let held = 0;
  let input = Promise.resolve();
  client.on("message", (message) => {
    const data = Buffer.isBuffer(message)
      ? message
      : Buffer.concat(Array.isArray(message) ? message : [Buffer.from(message)]);
    held += data.length;
    if (held > INPUT_LIMIT) client.close(TOO_BIG, "The process does not read its input");
    input = input
      .then(() => session.write(data))
      .catch(() => {})
      .then(() => {
        held -= data.length;
      });
  });
  client.once("close", () => void session[Symbol.asyncDispose]());
  client.on("error", () => client.terminate());
  try {
    for await (const { data } of session.output) await send(client, data, binary);
  } catch (error) {
    if (client.readyState === client.OPEN) throw error;
  } finally {
    await session[Symbol.asyncDispose]();
    client.close(NORMAL);
  }
}
