import type { OutputChunk } from "../../runtime/mod.ts";

const STREAM_BYTE = { stdout: 1, stderr: 2, system: 3 } as const;
const HEADER = 8;

/** What the daemon itself has to say on a stream. */
export interface SystemChunk {
  readonly stream: "system";
  readonly data: Uint8Array;
}

/** One frame of Docker's multiplexed stream: stream, three zeros, length (big endian), data. */
export function frame({ stream, data }: OutputChunk | SystemChunk): Uint8Array {
  const framed = Buffer.allocUnsafe(HEADER + data.byteLength);
  writeFrame(framed, 0, stream, data);
  return framed;
}

/** Returns where the next frame begins. */
function writeFrame(target: Buffer, at: number, stream: keyof typeof STREAM_BYTE, data: Uint8Array): number {
  target.writeUInt32BE(STREAM_BYTE[stream] * 0x1000000, at);
  target.writeUInt32BE(data.byteLength, at + 4);
  target.set(data, at + HEADER);
  return at + HEADER + data.byteLength;
}

const NEWLINE = 10;

/**
 * A frame for each line, in one piece: clients that follow a log (docker-py) take each frame for a line. What has no newline
 * at its end is a frame too.
 */
export function frameLines({ stream, data }: OutputChunk): Uint8Array {
  const ends: number[] = [];
  for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, end + 1)) ends.push(end + 1);
  if (ends.at(-1) !== data.byteLength) ends.push(data.byteLength);
  const framed = Buffer.allocUnsafe(data.byteLength + HEADER * ends.length);
  let [start, at] = [0, 0];
  for (const end of ends) {
    at = writeFrame(framed, at, stream, data.subarray(start, end));
    start = end;
  }
  return framed;
}
