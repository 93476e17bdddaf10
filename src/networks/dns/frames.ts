/** DNS messages over TCP: each behind its length in two bytes (RFC 1035 section 4.2.2). */

const LENGTH_BYTES = 2;

/** Puts messages together from what comes in, whatever the pieces: bytes are moved when there are enough of them. */
export class FrameReader {
  #pieces: Uint8Array[] = [];
  #length = 0;
  #wanted = LENGTH_BYTES;

  push(bytes: Uint8Array): void {
    this.#pieces.push(Uint8Array.from(bytes));
    this.#length += bytes.byteLength;
  }

  /** The next message. */
  next(): Buffer | undefined {
    while (this.#length >= this.#wanted) {
      const bytes = Buffer.concat(this.#pieces);
      const end = LENGTH_BYTES + bytes.readUInt16BE(0);
      const complete = bytes.byteLength >= end;
      this.#wanted = complete ? LENGTH_BYTES : end;
      this.#pieces = [complete ? bytes.subarray(end) : bytes];
      if (!complete) continue;
      this.#length -= end;
      return bytes.subarray(LENGTH_BYTES, end);
    }
    return undefined;
  }
}

export function frame(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES + message.byteLength);
  bytes.writeUInt16BE(message.byteLength, 0);
  bytes.set(message, LENGTH_BYTES);
  return bytes;
}
