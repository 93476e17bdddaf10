import { describe, expect, test } from "bun:test";
import type { HavreError } from "../base/mod.ts";
import { ResponseParser, type ResponseSink } from "./http-parser.ts";

interface Seen {
  status?: number;
  body: string;
  ended: boolean;
  failure?: HavreError;
}

function recorder(): ResponseSink & { readonly seen: Seen } {
  const seen: Seen = { body: "", ended: false };
  return {
    seen,
    head: ({ status }) => {
      seen.status = status;
    },
    data: (chunk) => {
      seen.body += Buffer.from(chunk).toString();
    },
    end: () => {
      seen.ended = true;
    },
    fail: (error) => {
      seen.failure = error;
    },
  };
}

const CHUNKED =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\nTrailer: 1\r\n\r\n";
const SIZED = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope";

describe("ResponseParser", () => {
  test.each([1, 2, 3, 7, 1000])("reads pipelined responses that come in pieces of %i bytes", (size) => {
    const parser = new ResponseParser();
    const [first, second, third] = [recorder(), recorder(), recorder()];
    for (const sink of [first, second, third]) parser.expect({ sink, headOnly: false });
    const bytes = Buffer.from(`${CHUNKED}${SIZED}HTTP/1.1 204 No Content\r\n\r\n`);
    for (let at = 0; at < bytes.byteLength; at += size) parser.push(bytes.subarray(at, at + size));
    expect(first.seen).toEqual({ status: 200, body: "hello, world", ended: true });
    expect(second.seen).toEqual({ status: 404, body: "nope", ended: true });
    expect(third.seen).toEqual({ status: 204, body: "", ended: true });
    expect(parser.idle).toBe(true);
  });

  test("hands on everything after a 101, until the connection ends", () => {
    const parser = new ResponseParser();
    const sink = recorder();
    parser.expect({ sink, headOnly: false });
    parser.push(Buffer.from("HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\nHTTP/1.1 is only text here"));
    expect(sink.seen.body).toBe("HTTP/1.1 is only text here");
    parser.finish();
    expect(sink.seen.ended).toBe(true);
    expect(parser.idle).toBe(false);
  });

  test("a HEAD response has no body whatever its length says", () => {
    const parser = new ResponseParser();
    const sink = recorder();
    parser.expect({ sink, headOnly: true });
    parser.push(Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"));
    expect(sink.seen).toEqual({ status: 200, body: "", ended: true });
  });

  test("a connection that ends early fails what waits, in the middle of a body too", () => {
    const parser = new ResponseParser();
    const [first, second] = [recorder(), recorder()];
    parser.expect({ sink: first, headOnly: false });
    parser.expect({ sink: second, headOnly: false });
    parser.push(Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
    parser.finish();
    expect(first.seen.failure?.kind).toBe("unavailable");
    expect(second.seen.failure?.kind).toBe("unavailable");
    expect(first.seen.ended).toBe(false);
  });

  test.each(["garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "x".repeat(70_000)])(
    "what is not HTTP is an error, not a hang",
    (text) => {
      const parser = new ResponseParser();
      const sink = recorder();
      parser.expect({ sink, headOnly: false });
      parser.push(Buffer.from(text));
      expect(sink.seen.failure?.kind).toBe("internal");
    },
  );
});
