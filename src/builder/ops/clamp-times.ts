import { encodeTarHeader, TAR_TRAILER, type TarHeader, TarParser, tarPadding } from "../../snapshots/mod.ts";

/** An archive in which nothing is younger than `latest` (nanoseconds since the epoch); all else stays as it is. */
export async function* clampTimes(tar: AsyncIterable<Uint8Array>, latest: bigint): AsyncGenerator<Uint8Array> {
  const clamp = new Clamp(latest);
  const parser = new TarParser(clamp);
  for await (const chunk of tar) {
    parser.write(chunk);
    yield clamp.take();
  }
  parser.end();
  yield Buffer.concat([clamp.take(), TAR_TRAILER]);
}

class Clamp {
  readonly #latest: bigint;
  #parts: Uint8Array[] = [];
  #stored = 0;

  constructor(latest: bigint) {
    this.#latest = latest;
  }

  take(): Uint8Array {
    const taken = Buffer.concat(this.#parts);
    this.#parts = [];
    return taken;
  }

  entry(header: TarHeader): void {
    const isYounger = header.mtime > this.#latest;
    const mtime = isYounger ? this.#latest : header.mtime;
    this.#parts.push(encodeTarHeader({ ...header, path: header.rawPath, linkTarget: header.rawLinkTarget, mtime }));
    this.#stored = 0;
  }

  data(bytes: Uint8Array): void {
    this.#parts.push(bytes.slice());
    this.#stored += bytes.length;
  }

  finish(): void {
    this.#parts.push(tarPadding(this.#stored));
  }
}
