import { HavreError } from "../../../base/mod.ts";
import { readJsonLines } from "../../../client/mod.ts";
import type { Output } from "../../output/output.ts";
import type { ProgressAnswer } from "../../types.ts";

/**
 * Shows a stream of progress as it comes: a line per layer that moves on a terminal, a line per message elsewhere.
 * An error in the stream is thrown.
 */
export async function showProgress(
  body: AsyncIterable<Uint8Array>,
  out: Output,
  onAux: (aux: unknown) => void = () => {},
): Promise<void> {
  const rows = new Map<string, number>();
  for await (const message of readJsonLines<ProgressAnswer>(body)) {
    if (message.error !== undefined || message.errorDetail) {
      throw new HavreError(
        "internal",
        message.errorDetail?.message ?? message.error ?? "The daemon failed without saying why",
      );
    }
    if (message.aux !== undefined) onAux(message.aux);
    if (message.stream !== undefined) out.write(message.stream);
    else if (message.status !== undefined) showStatus(message, message.status, out, rows);
  }
}

function showStatus(message: ProgressAnswer, status: string, out: Output, rows: Map<string, number>): void {
  const counts = message.progressDetail?.current !== undefined;
  if (!out.isTerminal) {
    // Where nothing can be overwritten, running counts would only be noise.
    if (!counts) out.line(message.id === undefined ? status : `${message.id}: ${status}`);
    return;
  }
  const text = `${message.id === undefined ? "" : `${message.id}: `}${status}${message.progress ? ` ${message.progress}` : ""}`;
  if (message.id === undefined) {
    out.line(text);
    return;
  }
  const row = rows.get(message.id);
  if (row === undefined) {
    rows.set(message.id, rows.size);
    out.line(text);
    return;
  }
  const up = rows.size - row;
  out.write(`\x1b[${up}A\x1b[2K\r${text}\x1b[${up}B\r`);
}
