import { expect, test } from "bun:test";
import { Duplex } from "node:stream";
import type { StreamSession } from "../../engine/mod.ts";
import type { Exchange } from "./exchange.ts";
import { hijack, joinStreams } from "./hijack.ts";

// Seen where it is written: at the other end the kernel may put together what was sent apart, whenever that is read late.
test("the head of an answer goes alone, for clients that buffer what follows", async () => {
  const writes: { readonly text: string; readonly at: number }[] = [];
  const socket = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      writes.push({ text: chunk.toString(), at: performance.now() });
      done();
    },
  });
  const exchange = {
    upgrade: { socket, head: Buffer.alloc(0) },
    version: { since: () => true },
    response: { getHeader: () => "x" },
  } as unknown as Exchange;
  const session = {
    terminal: true,
    output: (async function* () {
      yield { stream: "stdout", data: Buffer.from("hello") };
      yield { stream: "stdout", data: Buffer.from(" again") };
    })(),
    [Symbol.asyncDispose]: async () => {},
  } as unknown as StreamSession;
  await joinStreams(hijack(exchange, true), session);
  const [head, first] = writes;
  expect(head?.text).toEndWith("\r\n\r\n");
  expect(writes.slice(1).map(({ text }) => text)).toEqual(["hello", " again"]);
  // At the least: what the machine has to do besides only makes it longer.
  expect((first?.at ?? 0) - (head?.at ?? 0)).toBeGreaterThanOrEqual(2.5);
});
