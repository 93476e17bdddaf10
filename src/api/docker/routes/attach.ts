import type { AttachOptions } from "../../../engine/mod.ts";
import type { Exchange, Route } from "../exchange.ts";
import { hijack, joinStreams, refuseHijack } from "../hijack.ts";
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

export function attachRoutes(useCases: UseCases): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/containers/{name}/attach",
      hijacks: true,
      handle: (exchange) => attach(exchange, useCases),
    },
  ];
}
