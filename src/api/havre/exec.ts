import type { StreamSession } from "../../engine/mod.ts";
import { errorAnswer } from "../docker/errors.ts";
import type { Exchange, Route } from "../docker/exchange.ts";
import { headRead, hijack, joinStreams } from "../docker/hijack.ts";
import { createExec } from "../docker/routes/exec.ts";
import { frame } from "../docker/stdcopy.ts";
import type { UseCases } from "../docker/use-cases.ts";

/** The last frame of an exec, of the stream's system kind: how it ended. */
export interface ExecEnd {
  readonly exitCode: number;
}

/**
 * Creates, starts and attaches to an exec and tells its exit code, in one exchange instead of three. The body is that of
 * `POST /containers/{id}/exec`. What fails before there is an exec is answered in HTTP; from then on the connection
 * carries frames: output, or why there is none, at last one system frame with an `ExecEnd`.
 */
async function exec(exchange: Exchange, useCases: UseCases): Promise<void> {
  const { execs } = useCases;
  const id = await createExec(exchange, useCases, exchange.query.optional("container") ?? "");
  const { config } = execs.inspect(id);
  // This client reads what comes with the head of the answer: no head start for it.
  const connection = { ...hijack(exchange, false, `Havre-Exec-Id: ${id}\r\n`), since: Number.NEGATIVE_INFINITY };
  const farewell = async () => {
    const end: ExecEnd = { exitCode: execs.inspect(id).exitCode ?? 0 };
    return frame({ stream: "system", data: Buffer.from(JSON.stringify(end)) });
  };
  let session: StreamSession | undefined;
  try {
    session = await execs.start(id, { detach: false, terminal: config.Tty });
  } catch (error) {
    await headRead(connection);
    connection.socket.write(frame({ stream: "stdout", data: Buffer.from(`${errorAnswer(error).message}\r\n`) }));
  }
  if (session) await joinStreams(connection, session, { framed: true, farewell });
  else connection.socket.end(await farewell());
}

export function execRoutes(useCases: UseCases): readonly Route[] {
  return [{ method: "POST", path: "/havre/v1/exec", hijacks: true, handle: (exchange) => exec(exchange, useCases) }];
}
