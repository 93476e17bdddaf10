import { closeSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout } from "node:timers/promises";
import { errnoOf } from "../base/mod.ts";
import {
  connectSeqpacket,
  duplicateDescriptor,
  type EventSocket,
  receivePacket,
  sendPacket,
  shutdownWrite,
  unacceptedConnections,
  watchSocket,
} from "../kernel/mod.ts";
import type { IoConnection, OutputChunk } from "./runtime.ts";

/** Milliseconds a supervisor that does not accept is waited for. */
const ACCEPT_WITHIN = 2000;

/** conmon reads at most 32 KiB - 1 of a packet and drops the rest. */
const MAX_INPUT = 32_767;
/** One byte for the stream, then up to 8 KiB of output. */
const MAX_PACKET = 64 * 1024;
const STDERR = 3;

/** A connection to the attach socket of a supervisor. */
export class AttachConnection implements IoConnection {
  readonly #fd: number;
  #socket: EventSocket | undefined;
  #listener: ((chunk: OutputChunk) => boolean) | undefined;
  readonly #pending: OutputChunk[] = [];
  #paused = false;
  #ended = false;
  #fdOpen = true;
  readonly #input: Uint8Array[] = [];
  #inputEnding = false;
  #inputEnded = false;
  #drain = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  readonly closed = this.#closed.promise;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  static async open(path: string): Promise<AttachConnection> {
    const { fd, waiting } = await connectWhenRoom(path);
    // The event loop may close its descriptor while packets are still queued: ours reads them.
    const connection = new AttachConnection(duplicateDescriptor(fd));
    connection.#socket = await watchSocket(fd, {
      data: (bytes) => connection.#take(bytes),
      drain: () => connection.#flush(),
      close: () => connection.#hangUp(),
    });
    await accepted(basename(path), waiting);
    return connection;
  }

  onOutput(listener: (chunk: OutputChunk) => boolean): void {
    this.#listener = listener;
    this.#deliver();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#deliver();
    if (!this.#paused && !this.#ended) this.#socket?.resume();
  }

  write(data: Uint8Array): boolean {
    if (this.#inputEnding || !this.#fdOpen) return true;
    for (let at = 0; at < data.byteLength; at += MAX_INPUT) this.#input.push(data.slice(at, at + MAX_INPUT));
    this.#flush();
    return this.#input.length === 0;
  }

  drained(): Promise<void> {
    return this.#input.length === 0 || !this.#fdOpen ? Promise.resolve() : this.#drain.promise;
  }

  endInput(): void {
    this.#inputEnding = true;
    this.#flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener = () => true;
    this.#paused = false;
    this.#pending.length = 0;
    this.#socket?.close();
    this.#hangUp();
  }

  #take(packet: Uint8Array): void {
    if (packet.byteLength < 2) return;
    // The event loop reuses its buffer for the next packet.
    this.#pending.push({ stream: packet[0] === STDERR ? "stderr" : "stdout", data: packet.slice(1) });
    this.#deliver();
  }

  #deliver(): void {
    while (this.#listener && !this.#paused) {
      const chunk = this.#pending.shift();
      if (chunk === undefined) break;
      if (!this.#listener(chunk)) {
        this.#paused = true;
        if (!this.#ended) this.#socket?.pause();
      }
    }
    if (this.#ended && this.#pending.length === 0 && this.#listener) this.#finish();
  }

  #hangUp(): void {
    if (this.#ended) return;
    this.#ended = true;
    const buffer = new Uint8Array(MAX_PACKET);
    for (;;) {
      const length = receivePacket(this.#fd, buffer);
      if (length === undefined || length === 0) break;
      if (length > 1) {
        const stream = buffer[0] === STDERR ? "stderr" : "stdout";
        this.#pending.push({ stream, data: buffer.slice(1, length) });
      }
    }
    this.#input.length = 0;
    this.#deliver();
    if (!this.#listener) this.#releaseDescriptor();
  }

  #finish(): void {
    this.#releaseDescriptor();
    this.#closed.resolve();
  }

  #releaseDescriptor(): void {
    if (!this.#fdOpen) return;
    this.#fdOpen = false;
    closeSync(this.#fd);
    this.#drain.resolve();
  }

  #flush(): void {
    if (!this.#fdOpen) return;
    for (let packet = this.#input[0]; packet; packet = this.#input[0]) {
      let sent: boolean;
      try {
        sent = sendPacket(this.#fd, packet);
      } catch {
        // The process is gone; `closed` says so.
        this.#input.length = 0;
        break;
      }
      if (!sent) {
        this.#awaitSpace(packet);
        return;
      }
      this.#input.shift();
    }
    this.#drain.resolve();
    this.#drain = Promise.withResolvers<void>();
    if (this.#inputEnding && !this.#inputEnded) {
      this.#inputEnded = true;
      shutdownWrite(this.#fd);
    }
  }

  /** A refused write through the event loop makes it report when there is space. */
  #awaitSpace(packet: Uint8Array): void {
    const written = this.#socket?.write(packet) ?? 0;
    if (written === packet.byteLength) {
      this.#input.shift();
      this.#flush();
    }
  }
}

/** conmon lets ten connections wait; the next is refused until it has accepted some. `waiting`: what joined its queue. */
async function connectWhenRoom(path: string): Promise<{ readonly fd: number; readonly waiting: readonly string[] }> {
  const name = basename(path);
  for (const deadline = performance.now() + ACCEPT_WITHIN; ; ) {
    try {
      const others = new Set(unacceptedConnections(name));
      const fd = connectSeqpacket(path);
      return { fd, waiting: unacceptedConnections(name).filter((number) => !others.has(number)) };
    } catch (error) {
      if (errnoOf(error) !== "EAGAIN" || performance.now() > deadline) throw error;
      await setTimeout(1);
    }
  }
}

/**
 * conmon sends output to connections it has accepted, not to those in its queue, and a process can print and end
 * before it looks there: a client would see nothing. In nearly every case it has accepted at once.
 */
async function accepted(name: string, waiting: readonly string[]): Promise<void> {
  const deadline = performance.now() + ACCEPT_WITHIN;
  while (performance.now() < deadline && unacceptedConnections(name).some((number) => waiting.includes(number))) {
    await setTimeout(1);
  }
}
