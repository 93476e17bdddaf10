import type { OutputChunk } from "../../runtime/mod.ts";

const STREAM_BYTE = { stdout: 1, stderr: 2 } as const;
const HEADER = 8;

/** One frame of Docker's multiplexed stream: stream, three zeros, length (big endian), data. */
export function frame({ stream, data }: OutputChunk): Uint8Array {
  const framed = Buffer.allocUnsafe(HEADER + data.byteLength);
  framed.writeUInt32BE(STREAM_BYTE[stream] * 0x1000000, 0);
  framed.writeUInt32BE(data.byteLength, 4);
  framed.set(data, HEADER);
  return framed;
}
