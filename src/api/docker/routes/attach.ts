import { HavreError } from "../../../base/mod.ts";
import type { AttachOptions } from "../../../engine/mod.ts";
import type { Exchange, Route } from "../exchange.ts";
import { hijack, joinStreams, refuseHijack } from "../hijack.ts";
import { acceptWebSocket, joinWebSocket } from "../join-websocket.ts";
import type { UseCases } from "../use-cases.ts";

function attachOptions({ query }: Exchange): AttachOptions {
  const detachKeys = query.optional("detachKeys");
  return {
    stdin: query.flag("stdin"),
    stdout: query.flag("stdout"),
    stderr: query.flag("stderr"),
    logs: query.flag("logs"),
    stream: query.flag("stream"),
    ...(detachKeys === undefined ? {} : { detachKeys }),
  };
}

async function attach(exchange: Exchange, { streams }: UseCases): Promise<void> {
  try {
    const session = await streams.attach(exchange.parameter("name"), attachOptions(exchange));
    await joinStreams(hijack(exchange, session.terminal, ""), session);
  } catch (error) {
    refuseHijack(exchange, error);
  }
}

/** Input and both outputs in one stream of messages; before 1.42 always all of them. */
async function attachWebSocket(exchange: Exchange, { streams }: UseCases): Promise<void> {
  const { version } = exchange;
  const options = attachOptions(exchange);
  const session = await streams.attach(
    exchange.parameter("name"),
    version.since(42) ? options : { ...options, stdin: true, stdout: true, stderr: true },
  );
  const accepted = acceptWebSocket(exchange);
  if (!accepted) {
    await session[Symbol.asyncDispose]();
    throw new HavreError("invalid-argument", "not websocket protocol");
  }
  await joinWebSocket(await accepted, session, version.since(28));
}

export function attachRoutes(useCases: UseCases): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/containers/{name}/attach",
      hijacks: true,
      handle: (exchange) => attach(exchange, useCases),
    },
    {
      method: "GET",
      path: "/containers/{name}/attach/ws",
      hijacks: true,
      handle: (exchange) => attachWebSocket(exchange, useCases),
    },
  ];
}
