import { Timeline } from "../../base/mod.ts";
import type { ContainerCreateRequest } from "../../spec/mod.ts";
import { errorAnswer } from "../docker/errors.ts";
import type { Exchange, Route } from "../docker/exchange.ts";
import { hijack, joinStreams } from "../docker/hijack.ts";
import { createContainer } from "../docker/routes/container-create.ts";
import { createExec } from "../docker/routes/exec.ts";
import { frame } from "../docker/stdcopy.ts";
import type { UseCases } from "../docker/use-cases.ts";

/** The last frame of a run, of the stream's system kind: how it ended, or why it did not start. */
export interface RunEnd {
  readonly exitCode?: number;
  readonly error?: { readonly status: number; readonly message: string; readonly hint?: string };
  /** Where the start's time went (as the Server-Timing header). */
  readonly timing?: string;
}

/**
 * Creates, attaches, waits for and starts a container in one exchange instead of four. The body is that of
 * `POST /containers/create`. What fails before there is a container is answered in HTTP; from then on the connection
 * carries frames: output, at last one system frame with a `RunEnd`.
 */
async function run(exchange: Exchange, useCases: UseCases, cgroupVersion: 1 | 2): Promise<void> {
  const { containers, streams } = useCases;
  const { id, warnings, request } = await createContainer(exchange, useCases, cgroupVersion);
  const session = await streams.attach(id, attachOptions(exchange, request));
  const condition = request.hostConfig.AutoRemove ? "removed" : "next-exit";
  const { exit } = await containers.wait(id, condition, exchange.signal);
  exit.catch(() => {});
  const told = warnings.length === 0 ? "" : `Havre-Warnings: ${encodeURIComponent(JSON.stringify(warnings))}\r\n`;
  const connection = hijack(exchange, false, `Havre-Container-Id: ${id}\r\n${told}`);
  const timeline = new Timeline();
  const started = containers.start(id, { timeline }).then(
    () => undefined,
    async (error: unknown) => {
      // Nothing will be written: the output ends here.
      await session[Symbol.asyncDispose]();
      return error;
    },
  );
  const farewell = async (): Promise<Uint8Array> => {
    const failure = await started;
    const end: RunEnd = failure === undefined ? ended(await exit) : { error: startFailure(failure) };
    const timing = timeline.steps.length > 0 ? { timing: timeline.serverTiming() } : {};
    return endFrame({ ...end, ...timing });
  };
  // This client reads what comes with the head of the answer: no head start for it.
  await joinStreams({ ...connection, since: Number.NEGATIVE_INFINITY }, session, { framed: true, farewell });
}

function attachOptions({ query }: Exchange, { config }: ContainerCreateRequest) {
  const detachKeys = query.optional("detachKeys");
  return {
    stdin: config.AttachStdin,
    stdout: config.AttachStdout,
    stderr: config.AttachStderr,
    logs: false,
    stream: true,
    ...(detachKeys === undefined ? {} : { detachKeys }),
  };
}

function ended({ code, error }: { readonly code: number; readonly error?: string }): RunEnd {
  return error ? { exitCode: code, error: { status: 500, message: error } } : { exitCode: code };
}

function startFailure(failure: unknown): NonNullable<RunEnd["error"]> {
  const { status, message, hint } = errorAnswer(failure);
  return { status, message, ...(hint === undefined ? {} : { hint }) };
}

/** Creates and starts an exec in one exchange; the last frame tells its exit code. The body is that of an exec's creation. */
async function exec(exchange: Exchange, useCases: UseCases): Promise<void> {
  const { execs } = useCases;
  const id = await createExec(exchange, useCases, exchange.query.text("name"));
  const { config } = execs.inspect(id);
  const connection = {
    ...hijack(exchange, false, `Havre-Exec-Id: ${id}\r\n`),
    since: Number.NEGATIVE_INFINITY,
  };
  const farewell = async () => endFrame({ exitCode: execs.inspect(id).exitCode ?? 0 });
  try {
    const session = await execs.start(id, { detach: false, terminal: config.Tty });
    if (session) await joinStreams(connection, session, { framed: true, farewell });
    else connection.socket.end(await farewell());
  } catch (error) {
    // Told where its output would have been, as dockerd does.
    const data = Buffer.from(`${errorAnswer(error).message}\r\n`);
    connection.socket.write(frame({ stream: "stdout", data }));
    connection.socket.end(await farewell());
  }
}

function endFrame(end: RunEnd): Uint8Array {
  return frame({ stream: "system", data: Buffer.from(JSON.stringify(end)) });
}

export function runRoutes(useCases: UseCases): readonly Route[] {
  const { cgroupVersion } = useCases.host.info();
  return [
    {
      method: "POST",
      path: "/havre/v1/run",
      hijacks: true,
      handle: (exchange) => run(exchange, useCases, cgroupVersion),
    },
    { method: "POST", path: "/havre/v1/exec", hijacks: true, handle: (exchange) => exec(exchange, useCases) },
  ];
}
