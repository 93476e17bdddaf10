import { afterAll, beforeAll, expect, test } from "bun:test";
import type { AttachOptions, StreamSession } from "../engine.ts";
import { EngineHost } from "../testing/engine-host.ts";
import { ContainerStreams } from "./streams.ts";

const WATCH: AttachOptions = { stdin: false, stdout: true, stderr: true, logs: false, stream: true };
const TYPE: AttachOptions = { ...WATCH, stdin: true };

let host: EngineHost;
let streams: ContainerStreams;
beforeAll(async () => {
  host = await EngineHost.open();
  streams = new ContainerStreams(host.context, host.engine.hub);
});
afterAll(() => host[Symbol.asyncDispose]());

/** What the session says from here on, piece by piece. */
function reader(session: StreamSession): () => Promise<string | undefined> {
  const output = session.output[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await output.next();
    return done ? undefined : Buffer.from(value.data).toString();
  };
}

const say = (session: StreamSession, text: string) => session.write(Buffer.from(text));

test("a client without input that leaves does not end the input of another", async () => {
  const id = await host.create({ Cmd: ["cat"], OpenStdin: true, StdinOnce: true });
  const typist = await streams.attach(id, TYPE);
  await host.containers.start(id);
  const read = reader(typist);
  const watcher = await streams.attach(id, WATCH);
  const watch = reader(watcher);
  await say(typist, "one\n");
  expect([await read(), await watch()]).toEqual(["one\n", "one\n"]);
  await watcher[Symbol.asyncDispose]();
  await say(typist, "two\n");
  expect(await read()).toBe("two\n");
  const { exit } = await host.containers.wait(id, "not-running");
  typist.endInput();
  expect(await read()).toBeUndefined();
  expect(await exit).toEqual({ code: 0 });
});

test("input stays open for the first client that has it, whoever watched before", async () => {
  const id = await host.run({ Cmd: ["cat"], OpenStdin: true, StdinOnce: true });
  const watcher = await streams.attach(id, WATCH);
  await watcher[Symbol.asyncDispose]();
  const typist = await streams.attach(id, TYPE);
  const read = reader(typist);
  await say(typist, "still there\n");
  expect(await read()).toBe("still there\n");
  const { exit } = await host.containers.wait(id, "not-running");
  await typist[Symbol.asyncDispose]();
  expect(await exit).toEqual({ code: 0 });
});

test("input that is not given once outlives the client that ended its own", async () => {
  const id = await host.run({ Cmd: ["cat"], OpenStdin: true });
  const [first, second] = [await streams.attach(id, TYPE), await streams.attach(id, TYPE)];
  const read = reader(second);
  first.endInput();
  await first[Symbol.asyncDispose]();
  await say(second, "more\n");
  expect(await read()).toBe("more\n");
  await second[Symbol.asyncDispose]();
  expect(host.state(id)).toBe("running");
});

test("each start of a container connects anew", async () => {
  const id = await host.run({ Cmd: ["cat"], OpenStdin: true, StopSignal: "SIGKILL" });
  const before = await streams.attach(id, TYPE);
  await host.containers.restart(id, {});
  expect(await reader(before)()).toBeUndefined();
  const after = await streams.attach(id, TYPE);
  const read = reader(after);
  await say(after, "anew\n");
  expect(await read()).toBe("anew\n");
  await after[Symbol.asyncDispose]();
});
