import { expect, test } from "bun:test";
import type { OutputChunk } from "../../runtime/mod.ts";
import { StreamHub } from "./hub.ts";
import { ConnectionSession, type SessionOptions } from "./session.ts";
import { Pipe } from "./testing/pipe.ts";

const all: SessionOptions = { terminal: false, stdin: true, stdout: true, stderr: true, detachKeys: Uint8Array.of(16) };

const chunk = (stream: "stdout" | "stderr", size: number): OutputChunk => ({ stream, data: new Uint8Array(size) });

test("input given before the process exists reaches it, and its end too", async () => {
  const session = new ConnectionSession(all);
  const writing = session.write(Uint8Array.of(1, 2));
  session.endInput();
  const pipe = new Pipe();
  session.connect(pipe);
  await writing;
  expect(pipe.written).toEqual([1, 2]);
  expect(pipe.inputEnded).toBe(true);
});

test("all is delivered when the client has taken the last chunk and asks for more, or is gone", async () => {
  const hub = new StreamHub();
  const [reader, leaver] = [new ConnectionSession(all), new ConnectionSession(all)];
  const pipes = [reader, leaver].map((session) => {
    const pipe = new Pipe();
    hub.connect("a", session, pipe);
    pipe.listener(chunk("stdout", 3));
    return pipe;
  });
  let told = false;
  const delivered = hub.delivered("a").then(() => {
    told = true;
  });
  for (const pipe of pipes) pipe.close();
  await leaver[Symbol.asyncDispose]();
  const output = reader.output[Symbol.asyncIterator]();
  expect((await output.next()).done).toBe(false);
  expect(told).toBe(false);
  expect((await output.next()).done).toBe(true);
  await delivered;
  await hub.delivered("a");
});

test("output ends after the last chunk when the process closes", async () => {
  const session = new ConnectionSession(all);
  const pipe = new Pipe();
  session.connect(pipe);
  pipe.listener(chunk("stdout", 3));
  pipe.listener(chunk("stderr", 2));
  pipe.close();
  const seen = (await Array.fromAsync(session.output)).map(({ stream, data }) => `${stream}:${data.byteLength}`);
  expect(seen).toEqual(["stdout:3", "stderr:2"]);
});

test("streams that were not asked for are left out", async () => {
  const session = new ConnectionSession({ ...all, stderr: false });
  const pipe = new Pipe();
  session.connect(pipe);
  pipe.listener(chunk("stderr", 2));
  pipe.listener(chunk("stdout", 1));
  pipe.close();
  expect((await Array.fromAsync(session.output)).length).toBe(1);
});

test("a slow client pauses the process and lets it go on once it has read", async () => {
  const session = new ConnectionSession(all);
  const pipe = new Pipe();
  session.connect(pipe);
  expect(pipe.listener(chunk("stdout", 1 << 19))).toBe(true);
  expect(pipe.listener(chunk("stdout", 1 << 19))).toBe(false);
  const reader = session.output[Symbol.asyncIterator]();
  await reader.next();
  await reader.next();
  pipe.close();
  await reader.next();
  expect(pipe.resumed).toBe(1);
});

test("the detach key ends the session and is told", async () => {
  let detached = 0;
  const session = new ConnectionSession({ ...all, terminal: true, onDetach: () => detached++ });
  const pipe = new Pipe();
  session.connect(pipe);
  await session.write(Uint8Array.of(7, 16));
  expect([pipe.written, detached, session.ended]).toEqual([[7], 1, true]);
});

test("bytes through a pipe never detach", async () => {
  await using session = new ConnectionSession({ ...all, terminal: false });
  const pipe = new Pipe();
  session.connect(pipe);
  await session.write(Uint8Array.of(7, 16, 17));
  expect([pipe.written, session.ended]).toEqual([[7, 16, 17], false]);
});
