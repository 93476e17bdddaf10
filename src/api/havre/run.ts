import { Timeline } from "../../base/mod.ts";
import type { ContainerCreateRequest } from "../../spec/mod.ts";
import { errorAnswer } from "../docker/errors.ts";
import type { Exchange, Route } from "../docker/exchange.ts";
import { hijack, joinStreams } from "../docker/hijack.ts";
import { createContainer } from "../docker/routes/container-create.ts";
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
    return frame({ stream: "system", data: Buffer.from(JSON.stringify({ ...end, ...timing })) });
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

export function runRoutes(useCases: UseCases): readonly Route[] {
  const { cgroupVersion } = useCases.host.info();
  return [
    {
      method: "POST",
      path: "/havre/v1/run",
      hijacks: true,
      handle: (exchange) => run(exchange, useCases, cgroupVersion),
    },
  ];
}
