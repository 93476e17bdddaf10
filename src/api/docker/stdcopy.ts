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
  framed.writeUInt32BE(STREAM_BYTE[stream] * 0x1000000, 0);
  framed.writeUInt32BE(data.byteLength, 4);
  framed.set(data, HEADER);
  return framed;
}
