import { HavreError, isHavreError } from "../../../base/mod.ts";
import type { StreamSession } from "../../../engine/mod.ts";
import { decodeExecConfig, decodeExecStart, emptyExecConfig, emptyExecStart } from "../../../spec/mod.ts";
import { sendJson, sendStatus } from "../answers.ts";
import { readJsonText } from "../body.ts";
import { errorAnswer, StatusError } from "../errors.ts";
import type { Exchange, Route } from "../exchange.ts";
import { type Hijacked, hijack, joinStreams } from "../hijack.ts";
import { execView } from "../projections/exec.ts";
import { frame } from "../stdcopy.ts";
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

/** The exec is here and its container runs, so what is missing now is what the request asked for. */
function asRequestFault(error: unknown): unknown {
  const isFault = isHavreError(error, "not-found") || isHavreError(error, "permission-denied");
  return isFault ? new StatusError(400, error.kind, error.message, error) : error;
}

/** A failed start after the streams were promised: told on them, as dockerd does. */
function tellFailure({ socket }: Hijacked, terminal: boolean, error: unknown): void {
  const data = Buffer.from(`${errorAnswer(error).message}\r\n`);
  socket.end(terminal ? data : frame({ stream: "stdout", data }));
}

async function start(exchange: Exchange, { execs, log }: UseCases): Promise<void> {
  const id = exchange.parameter("id");
  const text = await readJsonText(exchange.request);
  const body = text === undefined ? emptyExecStart() : decodeExecStart(text);
  const { Detach: detach, Tty: terminal, ConsoleSize: size } = body;
  execs.inspect(id);
  const sized = size && terminal && exchange.version.since(42) ? { consoleSize: size } : {};
  let session: StreamSession | undefined;
  try {
    session = await execs.start(id, { detach, terminal, ...sized });
  } catch (error) {
    if (detach || isHavreError(error, "conflict")) throw asRequestFault(error);
    log.debug("Exec failed", { id, error });
    tellFailure(hijack(exchange, terminal), terminal, error);
    return;
  }
  if (session) await joinStreams(hijack(exchange, terminal), session);
  else sendStatus(exchange, 200);
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
