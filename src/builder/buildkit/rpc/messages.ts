import type { Http2Stream } from "node:http2";
import { HavreError } from "../../../base/mod.ts";

const HEADER = 5;
/** Of one message. BuildKit's own limit is 16 MiB. */
const LARGEST = 16 * 1024 * 1024;

/** A message with the five bytes gRPC puts ahead of it (gRPC over HTTP/2, § Length-Prefixed-Message). */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER + message.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, HEADER);
  return frame;
}

/** The messages of a stream. `invalid-argument` for one that is compressed, too large or cut short. */
export async function* messagesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER) {
      const length = rest.readUInt32BE(1);
      if (rest.readUInt8(0) !== 0) throw new HavreError("invalid-argument", "Compressed messages are not understood");
      if (length > LARGEST) throw new HavreError("invalid-argument", `A message of ${length} bytes is too large`);
      if (rest.length < HEADER + length) break;
      yield rest.subarray(HEADER, HEADER + length);
      rest = rest.subarray(HEADER + length);
    }
  }
  if (rest.length > 0) throw new HavreError("invalid-argument", "A message was cut short");
}

/** Writes a message, waiting while the other side does not read. */
export async function sendMessage(stream: Http2Stream, message: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.closed) throw new HavreError("cancelled", "The other side has gone");
  if (stream.write(framed(message))) return;
  await new Promise<void>((resolve, reject) => {
    const settle = () => {
      stream.off("drain", settle);
      stream.off("close", settle);
      if (stream.destroyed) reject(new HavreError("cancelled", "The other side has gone"));
      else resolve();
    };
    stream.once("drain", settle);
    stream.once("close", settle);
  });
}
