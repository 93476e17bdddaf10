import { HavreError, isHavreError } from "../../../base/mod.ts";
import type { Execs, StreamSession } from "../../../engine/mod.ts";
import { decodeExecConfig, decodeExecStart, emptyExecConfig, emptyExecStart } from "../../../spec/mod.ts";
import { sendJson, sendStatus } from "../answers.ts";
import { readJsonText } from "../body.ts";
import { errorAnswer, StatusError } from "../errors.ts";
import type { Exchange, Route } from "../exchange.ts";
import { type Hijacked, headRead, hijack, joinStreams } from "../hijack.ts";
import { execView } from "../projections/exec.ts";
import { frame } from "../stdcopy.ts";
import type { UseCases } from "../use-cases.ts";

type StartOptions = Parameters<Execs["start"]>[1];

/** Makes the exec that the request's body describes, in the container `ref`; its id. */
export async function createExec(exchange: Exchange, { execs }: UseCases, ref: string): Promise<string> {
  const text = await readJsonText(exchange.request);
  const body = text === undefined ? emptyExecConfig() : decodeExecConfig(text);
  const { Detach: _, ConsoleSize: size, ...config } = body;
  if (!config.Cmd || config.Cmd.length === 0) throw new HavreError("invalid-argument", "No exec command specified");
  return await execs.create(ref, {
    ...config,
    Cmd: config.Cmd,
    Env: config.Env ?? [],
    ...(size && exchange.version.since(42) ? { ConsoleSize: size } : {}),
  });
}

async function create(exchange: Exchange, useCases: UseCases): Promise<void> {
  sendJson(exchange, 201, { Id: await createExec(exchange, useCases, exchange.parameter("name")) });
}

/** The exec is here and its container runs, so what is missing now is what the request asked for. */
function asRequestFault(error: unknown): unknown {
  const isFault = isHavreError(error, "not-found") || isHavreError(error, "permission-denied");
  return isFault ? new StatusError(400, error.kind, error.message, error) : error;
}

/** A failed start after the streams were promised: told on them, as dockerd does. */
async function tellFailure(connection: Hijacked, terminal: boolean, error: unknown): Promise<void> {
  const data = Buffer.from(`${errorAnswer(error).message}\r\n`);
  await headRead(connection);
  connection.socket.end(terminal ? data : frame({ stream: "stdout", data }));
}

async function startDetached(exchange: Exchange, { execs }: UseCases, options: StartOptions): Promise<void> {
  try {
    await execs.start(exchange.parameter("id"), options);
  } catch (error) {
    throw asRequestFault(error);
  }
  sendStatus(exchange, 200);
}

async function startAttached(
  exchange: Exchange,
  { execs, containers }: UseCases,
  options: StartOptions,
): Promise<void> {
  const id = exchange.parameter("id");
  const { running, exitCode, containerId } = execs.inspect(id);
  const canStart = !running && exitCode === undefined && containers.get(containerId).status.state === "running";
  // What cannot start is refused in HTTP; all else fails on the streams, which the client is promised first.
  if (!canStart) {
    const session = await execs.start(id, options);
    await session?.[Symbol.asyncDispose]();
    throw new HavreError("conflict", `Exec ${id} cannot be started`);
  }
  const connection = hijack(exchange, options.terminal);
  let session: StreamSession | undefined;
  try {
    session = await execs.start(id, options);
  } catch (error) {
    await tellFailure(connection, options.terminal, error);
    return;
  }
  if (session) await joinStreams(connection, session, { framed: !options.terminal });
  else connection.socket.end();
}

async function start(exchange: Exchange, useCases: UseCases): Promise<void> {
  const text = await readJsonText(exchange.request);
  const body = text === undefined ? emptyExecStart() : decodeExecStart(text);
  const { Detach: detach, Tty: terminal, ConsoleSize: size } = body;
  useCases.execs.inspect(exchange.parameter("id"));
  const sized = size && terminal && exchange.version.since(42) ? { consoleSize: size } : {};
  const options = { detach, terminal, ...sized };
  await (detach ? startDetached : startAttached)(exchange, useCases, options);
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
