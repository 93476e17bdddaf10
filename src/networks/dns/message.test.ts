import { expect, test } from "bun:test";
import { decode, encode, type OptAnswer, type Packet } from "dns-packet";
import {
  encodeName,
  fitReply,
  type Query,
  Rcode,
  RecordType,
  rcodeOfAnswer,
  readQuery,
  reply,
  withId,
} from "./message.ts";

const ask = (packet: Partial<Packet>) =>
  encode({ type: "query", id: 7, flags: 0x0100, questions: [{ type: "A", name: "Web.App" }], ...packet });
const opt = (udpPayloadSize: number, ednsVersion = 0): OptAnswer => ({
  type: "OPT",
  name: ".",
  udpPayloadSize,
  extendedRcode: 0,
  ednsVersion,
  flags: 0,
  flag_do: false,
  options: [],
});

function query(bytes: Buffer): Query {
  const found = readQuery(bytes);
  if (!found || "reply" in found) throw new Error("no query");
  return found;
}

const address = (last: number) => ({ type: RecordType.a, ttl: 600, data: Uint8Array.of(10, 0, 0, last) });

test("a question is read with its name in lower case and what the client takes", () => {
  expect(query(ask({}))).toMatchObject({ name: "web.app", type: 1, internet: true, udpSize: 512, edns: undefined });
  expect(query(ask({ additionals: [opt(4096)] }))).toMatchObject({ udpSize: 4096, edns: 0 });
  expect(query(ask({ additionals: [opt(100)] }))).toMatchObject({ udpSize: 512 });
});

test("a dot inside a label does not make two of it", () => {
  const bytes = ask({ questions: [{ type: "A", name: "webxapp" }] });
  bytes[bytes.indexOf("webxapp") + 3] = 0x2e;
  expect(query(bytes).name).toBe("web\\.app");
});

test("a reply is what another reader of DNS expects", () => {
  const bytes = reply(query(ask({ additionals: [opt(1232)] })), Rcode.success, [address(1), address(2)]);
  const read = decode(bytes);
  expect(read).toMatchObject({
    type: "response",
    id: 7,
    rcode: "NOERROR",
    flag_rd: true,
    flag_ra: true,
    flag_tc: false,
  });
  expect(read.questions).toEqual([{ type: "A", class: "IN", name: "Web.App" }]);
  expect(read.answers).toMatchObject([
    { name: "Web.App", type: "A", ttl: 600, data: "10.0.0.1" },
    { name: "Web.App", type: "A", ttl: 600, data: "10.0.0.2" },
  ]);
  expect(read.additionals).toMatchObject([{ type: "OPT", udpPayloadSize: 1232 }]);
  expect(decode(reply(query(ask({})), Rcode.success, [])).additionals).toEqual([]);
});

test("what does not fit is left out, and the reply says so", () => {
  const all = Array.from({ length: 100 }, (_, index) => address(index));
  const asked = query(ask({ additionals: [opt(512)] }));
  const bytes = reply(asked, Rcode.success, all, asked.udpSize);
  expect(bytes.byteLength).toBeLessThanOrEqual(512);
  const read = decode(bytes);
  expect(read.flag_tc).toBe(true);
  expect(read.answers?.length).toBe(29);
  expect(decode(reply(asked, Rcode.success, all)).answers?.length).toBe(100);
});

test("what is no query is answered with its fault or not at all", () => {
  const rcode = (bytes: Buffer) => {
    const found = readQuery(bytes);
    return found && "reply" in found ? decode(found.reply) : found;
  };
  expect(rcode(Buffer.alloc(11))).toBeUndefined();
  expect(rcode(encode({ type: "response", id: 1, questions: [{ type: "A", name: "a" }] }))).toBeUndefined();
  expect(rcode(ask({ questions: [] }))).toMatchObject({ id: 7, rcode: "FORMERR" });
  expect(rcode(ask({ flags: 0x2800 }))).toMatchObject({ rcode: "NOTIMP", opcode: "UPDATE" });
  const version1 = ask({ additionals: [opt(1232, 1)] });
  expect(rcode(version1)).toMatchObject({ additionals: [{ type: "OPT", extendedRcode: 1 }] });
});

/** From a fixed start, so that a failure comes again. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test("messages cut at any byte, or with any byte changed, never throw and are never read past their end", () => {
  const whole = ask({ additionals: [opt(1232)], authorities: [{ type: "NS", name: "a.b", data: "c.d" }] });
  for (let end = 0; end < whole.byteLength; end++) {
    const found = readQuery(whole.subarray(0, end));
    expect({ end, query: found !== undefined && !("reply" in found) }).toEqual({ end, query: false });
  }
  const random = numbers(53);
  const answer = encode({ type: "response", id: 7, questions: [{ type: "A", name: "Web.App" }] });
  const asked = query(ask({}));
  for (let round = 0; round < 50_000; round++) {
    const bytes = Buffer.from(round % 3 === 0 ? Buffer.alloc(60) : whole);
    for (let change = 0; change < 1 + random() * 6; change++)
      bytes[Math.floor(random() * bytes.length)] = random() * 256;
    const found = readQuery(bytes);
    if (found && !("reply" in found)) {
      expect(found.questionEnd).toBeLessThanOrEqual(bytes.byteLength);
      decode(reply(found, Rcode.success, [address(1)]));
    } else if (found) decode(found.reply);
    rcodeOfAnswer(asked, asked.message, bytes.subarray(0, Math.floor(random() * bytes.length)));
    fitReply(asked, Buffer.concat([answer, bytes]));
  }
});

test("a name that points to itself, or forward, is refused", () => {
  for (const pointer of [0xc00c, 0xc000, 0xc0ff]) {
    const bytes = Buffer.concat([ask({}).subarray(0, 12), Buffer.from([pointer >> 8, pointer & 255, 0, 1, 0, 1])]);
    expect(readQuery(bytes)).toMatchObject({ reply: expect.any(Buffer) });
  }
});

test("only what answers the question under its number is an answer", () => {
  const sent = withId(ask({}), 99);
  const asked = query(ask({}));
  const say = (packet: Partial<Packet>) =>
    rcodeOfAnswer(
      asked,
      sent,
      encode({ type: "response", id: 99, questions: [{ type: "A", name: "web.app" }], ...packet }),
    );
  expect(say({})).toBe(0);
  expect(say({ flags: 3 })).toBe(3);
  expect(say({ id: 98 })).toBeUndefined();
  expect(say({ type: "query" })).toBeUndefined();
  expect(say({ questions: [{ type: "A", name: "web.apq" }] })).toBeUndefined();
  expect(say({ questions: [{ type: "AAAA", name: "web.app" }] })).toBeUndefined();
  expect(say({ questions: [] })).toBeUndefined();
  expect(say({ questions: [], flags: 5 })).toBe(5);
});

test("a reply that the client cannot take by UDP is cut down to its question", () => {
  const answers = Array.from({ length: 60 }, () => ({ type: "A", name: "web.app", data: "10.0.0.1" }) as const);
  const long = encode({ type: "response", id: 7, flags: 0x0180, questions: [{ type: "A", name: "Web.App" }], answers });
  expect(decode(fitReply(query(ask({})), long))).toMatchObject({ id: 7, flag_tc: true, answers: [] });
  expect(fitReply(query(ask({ additionals: [opt(4096)] })), long)).toBe(long);
});

test("names that cannot be sent are none", () => {
  expect(encodeName("web.app")).toEqual(Buffer.from("\x03web\x03app\0", "latin1"));
  expect(encodeName(`${"x".repeat(64)}.app`)).toBeUndefined();
  expect(encodeName("a..b")).toBeUndefined();
  expect(encodeName(Array.from({ length: 128 }, () => "a").join("."))).toBeUndefined();
});
