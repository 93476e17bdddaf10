import { FrameReader, type Hijacked } from "../../client/mod.ts";
import type { Output } from "../output/output.ts";
import type { RawTerminal } from "../output/terminal.ts";
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
  readonly out: Output;
  readonly err: Output;
  /** Output comes in frames whatever the process has; what the daemon itself says in them goes here. */
  readonly onSystem?: (data: Uint8Array) => void;
  /** Our standard input is a terminal. */
  readonly interactive: boolean;
}

/** Joins this program's standard streams to a process until its output ends or the user detaches. */
export async function runSession(options: SessionOptions): Promise<"ended" | "detached"> {
  const { stream, tty, stdin } = options;
  const raw = tty && stdin && options.interactive ? await openTerminal() : undefined;
  const detached = Promise.withResolvers<"detached">();
  try {
    const output = stream.read(outputTo(options)).then(() => "ended" as const);
    if (!stdin) stream.endInput();
    else if (raw) pumpTerminal(raw, options, () => detached.resolve("detached"));
    else void pumpInput(stream);
    const end = await Promise.race([output, detached.promise]);
    // The shell's prompt starts on a line of its own.
    if (end === "detached") options.err.write("\r\n");
    return end;
  } finally {
    raw?.restore();
    stream.close();
  }
}

async function openTerminal(): Promise<RawTerminal> {
  const { rawTerminal } = await import("../output/terminal.ts");
  return rawTerminal(0);
}

function outputTo({ tty, out, err, onSystem }: SessionOptions): (chunk: Uint8Array) => void {
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

function pumpTerminal({ input }: RawTerminal, { stream, detachKeys }: SessionOptions, onDetach: () => void): void {
  const detector = new DetachDetector(parseDetachKeys(detachKeys));
  input.on("data", (chunk: Uint8Array) => {
    const { pass, detached } = detector.push(chunk);
    if (pass.byteLength > 0) void stream.write(pass);
    if (!detached) return;
    input.pause();
    onDetach();
  });
  input.on("end", () => stream.endInput());
}
