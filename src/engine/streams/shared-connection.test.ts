import { expect, test } from "bun:test";
import type { OutputChunk } from "../../runtime/mod.ts";
import { SharedConnection } from "./shared-connection.ts";
import { Pipe } from "./testing/pipe.ts";

const chunk: OutputChunk = { stream: "stdout", data: new Uint8Array(3) };

test("every client gets what comes, and the slowest holds it back until it goes on or leaves", async () => {
  const pipe = new Pipe();
  const shared = new SharedConnection(pipe);
  const [slow, quick] = [shared.join(false), shared.join(true)];
  const seen: string[] = [];
  slow.onOutput(() => {
    seen.push("slow");
    return false;
  });
  quick.onOutput(() => {
    seen.push("quick");
    return true;
  });
  expect(pipe.listener(chunk)).toBe(false);
  expect(seen).toEqual(["slow", "quick"]);
  slow.resume();
  expect(pipe.resumed).toBe(1);
  pipe.listener(chunk);
  await slow[Symbol.asyncDispose]();
  expect(pipe.resumed).toBe(2);
  expect(pipe.listener(chunk)).toBe(true);
  expect(pipe.inputEnded).toBe(false);
});

test("the last client with input takes the connection along; one without leaves it open", async () => {
  const pipe = new Pipe();
  const shared = new SharedConnection(pipe);
  let closed = false;
  void pipe.closed.then(() => {
    closed = true;
  });
  await shared.join(false)[Symbol.asyncDispose]();
  expect([pipe.inputEnded, closed]).toEqual([false, false]);
  await shared.join(true)[Symbol.asyncDispose]();
  expect([pipe.inputEnded, closed]).toEqual([true, true]);
});
