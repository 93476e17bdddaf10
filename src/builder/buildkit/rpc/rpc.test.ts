import { expect, test } from "bun:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { rpcPair } from "../testing/pair.ts";
import { BytesMessageSchema } from "../wire/session.ts";
import { streaming, unary } from "./server.ts";
import { RpcError } from "./status.ts";

const UNUSED = new AbortController().signal;
const bytes = (text: string) => ({ data: Buffer.from(text) });

test("asks and answers", async () => {
  const echo = unary(BytesMessageSchema, BytesMessageSchema, async ({ data }) => bytes(`<${Buffer.from(data)}>`));
  await using pair = await rpcPair(new Map([["/s/Echo", echo]]));
  const answers = await Promise.all(
    ["a", "b", "c"].map((text) =>
      pair.client.ask("/s/Echo", BytesMessageSchema, bytes(text), BytesMessageSchema, UNUSED),
    ),
  );
  expect(answers.map(({ data }) => Buffer.from(data).toString())).toEqual(["<a>", "<b>", "<c>"]);
});

test("an error comes over with its words", async () => {
  const refuse = unary(BytesMessageSchema, BytesMessageSchema, async () => {
    throw new RpcError(5, "no: 100 % ünknown\nthing", [{ type: "x/y", value: { a: 1 } }]);
  });
  await using pair = await rpcPair(new Map([["/s/Refuse", refuse]]));
  const ask = (path: string) => pair.client.ask(path, BytesMessageSchema, bytes(""), BytesMessageSchema, UNUSED);
  await expect(ask("/s/Refuse")).rejects.toThrow("no: 100 % ünknown\nthing");
  await expect(ask("/s/Refuse")).rejects.toMatchObject({ kind: "not-found" });
  await expect(ask("/s/Other")).rejects.toMatchObject({ kind: "not-implemented", message: "unknown method /s/Other" });
});

test("streams, with large messages, and waits for a slow reader", async () => {
  const sizes = [0, 1, 70_000, 3_000_000];
  let sent = 0;
  const many = streaming(BytesMessageSchema, BytesMessageSchema, async function* () {
    for (let round = 0; round < 5; round++) {
      for (const size of sizes) {
        yield { data: new Uint8Array(size).fill(round) };
        sent++;
      }
    }
  });
  await using pair = await rpcPair(new Map([["/s/Many", many]]));
  await using call = pair.client.call("/s/Many", {}, UNUSED);
  await call.send(toBinary(BytesMessageSchema, create(BytesMessageSchema, bytes("go"))));
  call.end();
  const received: number[] = [];
  for await (const message of call.messages) received.push(fromBinary(BytesMessageSchema, message).data.length);
  expect(received).toEqual([sizes, sizes, sizes, sizes, sizes].flat());
  expect(sent).toBe(20);
});

test("a call given up tells the server, a lost connection the client", async () => {
  const { promise: aborted, resolve } = Promise.withResolvers<boolean>();
  const started = Promise.withResolvers<void>();
  const wait = streaming(BytesMessageSchema, BytesMessageSchema, async function* (_, { signal }) {
    yield bytes("started");
    started.resolve();
    await new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
    resolve(signal.aborted);
  });
  await using pair = await rpcPair(new Map([["/s/Wait", wait]]));
  const control = new AbortController();
  const call = pair.client.call("/s/Wait", {}, control.signal);
  await call.send(toBinary(BytesMessageSchema, create(BytesMessageSchema, bytes(""))));
  call.end();
  const read = (async () => {
    for await (const _ of call.messages);
  })();
  await started.promise;
  control.abort(new Error("enough"));
  await expect(read).rejects.toThrow("enough");
  expect(await aborted).toBeTrue();
  pair.client.close();
  expect(() => pair.client.call("/s/Wait", {}, UNUSED)).toThrow("The client of the build has gone");
});
