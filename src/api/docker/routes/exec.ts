import { HavreError } from "../../../base/mod.ts";
import { decodeExecConfig, decodeExecStart, emptyExecConfig, emptyExecStart } from "../../../spec/mod.ts";
import { sendJson, sendStatus } from "../answers.ts";
import { readJsonText } from "../body.ts";
import type { Exchange, Route } from "../exchange.ts";
import { hijack, joinStreams } from "../hijack.ts";
import { execView } from "../projections/exec.ts";
import type { UseCases } from "../use-cases.ts";

async function create(exchange: Exchange, { execs }: UseCases): Promise<void> {
  const text = await readJsonText(exchange.request);
  const body = text === undefined ? emptyExecConfig() : decodeExecConfig(text);
  const { Detach: _, ConsoleSize: size, ...config } = body;
  if (!config.Cmd || config.Cmd.length === 0) throw new HavreError("invalid-argument", "No exec command specified");
  const id = await execs.create(exchange.parameter("name"), {
    ...config,
    Cmd: config.Cmd,
    Env: config.Env ?? [],
    ...(size && exchange.version.since(42) ? { ConsoleSize: size } : {}),
  });
  sendJson(exchange, 201, { Id: id });
}

async function start(exchange: Exchange, { execs }: UseCases): Promise<void> {
  const id = exchange.parameter("id");
  const text = await readJsonText(exchange.request);
  const {
    Detach: detach,
    Tty: terminal,
    ConsoleSize: size,
  } = text === undefined ? emptyExecStart() : decodeExecStart(text);
  execs.inspect(id);
  const options = {
    detach,
    terminal,
    ...(size && terminal && exchange.version.since(42) ? { consoleSize: size } : {}),
  };
  if (detach) {
    await execs.start(id, options);
    sendStatus(exchange, 200);
    return;
  }
  const session = await execs.start(id, options);
  const connection = hijack(exchange, terminal);
  if (session) await joinStreams(connection, session);
  else connection.socket.end();
}

async function resize(exchange: Exchange, { execs }: UseCases): Promise<void> {
  const [height, width] = [exchange.query.requiredInteger("h"), exchange.query.requiredInteger("w")];
  await execs.resize(exchange.parameter("id"), height, width);
  sendStatus(exchange, 200);
}

export function execRoutes(useCases: UseCases): readonly Route[] {
  return [
    { method: "POST", path: "/containers/{name}/exec", handle: (exchange) => create(exchange, useCases) },
    { method: "POST", path: "/exec/{id}/start", hijacks: true, handle: (exchange) => start(exchange, useCases) },
    { method: "POST", path: "/exec/{id}/resize", handle: (exchange) => resize(exchange, useCases) },
    {
      method: "GET",
      path: "/exec/{id}/json",
      handle: (exchange) => sendJson(exchange, 200, execView(useCases.execs.inspect(exchange.parameter("id")))),
    },
  ];
}
