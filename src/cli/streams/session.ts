import { FrameReader, type Hijacked } from "../../client/mod.ts";
import type { Context } from "../context.ts";
import { isTerminal } from "../output/output.ts";
import { DetachDetector, parseDetachKeys } from "./detach.ts";
import { stdinChunks } from "./input.ts";

export interface SessionOptions {
  readonly stream: Hijacked;
  /** The process has a pseudo-terminal: output is raw. */
  readonly tty: boolean;
  /** Send standard input. */
  readonly stdin: boolean;
  /** As given; empty: ctrl-p,ctrl-q. */
  readonly detachKeys: string;
  readonly context: Pick<Context, "out" | "err" | "rawTerminal">;
  /** Output comes in frames whatever the process has; what the daemon itself says in them goes here. */
  readonly onSystem?: (data: Uint8Array) => void;
}

/** Joins this program's standard streams to a process until its output ends or the user detaches. */
export async function runSession(options: SessionOptions): Promise<"ended" | "detached"> {
  const { stream, tty, stdin, context } = options;
  const raw = tty && stdin && isTerminal(0) ? await context.rawTerminal(0) : undefined;
  // Whatever way the program ends, the shell gets its terminal back.
  if (raw) process.once("exit", raw.restore);
  const detached = Promise.withResolvers<"detached">();
  try {
    const output = stream.read(outputTo(options)).then(() => "ended" as const);
    if (!stdin) stream.endInput();
    else if (raw) void pumpTerminal(options, () => detached.resolve("detached"));
    else void pumpInput(stream);
    const end = await Promise.race([output, detached.promise]);
    // The shell's prompt starts on a line of its own.
    if (end === "detached") context.err.write("\r\n");
    return end;
  } finally {
    raw?.restore();
    stream.close();
  }
}

function outputTo({ tty, context: { out, err }, onSystem }: SessionOptions): (chunk: Uint8Array) => void {
  if (tty && !onSystem) return (chunk) => out.write(chunk);
  const frames = new FrameReader((name, data) => {
    if (name === "system" && onSystem) onSystem(data);
    else (name === "stderr" ? err : out).write(data);
  });
  return (chunk) => frames.push(chunk);
}

async function pumpInput(stream: Hijacked): Promise<void> {
  for await (const chunk of stdinChunks()) await stream.write(chunk);
  stream.endInput();
}

async function pumpTerminal({ stream, detachKeys }: SessionOptions, onDetach: () => void): Promise<void> {
  const detector = new DetachDetector(parseDetachKeys(detachKeys));
  for await (const chunk of stdinChunks()) {
    const { pass, detached } = detector.push(chunk);
    if (pass.byteLength > 0) await stream.write(pass);
    if (detached) {
      onDetach();
      return;
    }
  }
  stream.endInput();
}
