import { expect, test } from "bun:test";
import { digestOf, HavreError } from "../../base/mod.ts";
import { vertex } from "../graph/vertex.ts";
import { Progress } from "./progress.ts";
import type { StatusResponse } from "./wire/control.ts";

let ids = 0;
const clock = { now: () => 1000.5 };

function progress(): Progress {
  return new Progress({ ...clock, monotonic: clock.now } as never, () => String(ids++));
}

async function told(of: Progress): Promise<readonly StatusResponse[]> {
  const messages: StatusResponse[] = [];
  for await (const message of of.read(new AbortController().signal)) messages.push(message);
  return messages;
}

const CONTEXT = vertex({ kind: "context", name: "" }, [], { name: "context" });
const EMPTY = vertex({ kind: "scratch" }, [], { name: "scratch" });
const COPY = vertex(
  { kind: "copy", sources: [], destination: "/", excludes: [], parents: false, ownedByRoot: true },
  [EMPTY, CONTEXT],
  { name: "[2/2] COPY" },
);

test("vertices have their times and inputs, and nothing is said of an empty tree", async () => {
  const of = progress();
  of.event({ kind: "planned", vertices: [EMPTY, CONTEXT, COPY] });
  of.event({ kind: "started", vertex: COPY.digest, at: 1000 });
  of.event({ kind: "finished", vertex: COPY.digest, at: 2500.25, cached: true });
  of.event({ kind: "finished", vertex: EMPTY.digest, at: 1, cached: true });
  of.end();
  const [planned, started, finished, ...more] = await told(of);
  expect(more).toEqual([]);
  expect(planned?.vertexes.map(({ name, inputs }) => [name, inputs])).toEqual([
    ["context", []],
    ["[2/2] COPY", [CONTEXT.digest]],
  ]);
  expect(started?.vertexes[0]).toMatchObject({
    digest: COPY.digest,
    cached: false,
    started: { seconds: 1n, nanos: 0 },
  });
  expect(finished?.vertexes[0]).toMatchObject({ cached: true, completed: { seconds: 2n, nanos: 500_000_000 } });
});

test("a task is shown from its beginning to its end, with how far it is", async () => {
  const of = progress();
  const failing = of.task("work", async (task) => {
    task.progress("half", 1, 2, false);
    throw new HavreError("internal", "it broke");
  });
  await expect(failing).rejects.toThrow("it broke");
  of.contextTask("").progress("lost", 1, 1, true);
  of.end();
  const messages = await told(of);
  expect(messages.flatMap(({ vertexes }) => vertexes.map(({ name, error }) => [name, error]))).toEqual([
    ["work", ""],
    ["work", "it broke"],
  ]);
  expect(messages.flatMap(({ statuses }) => statuses)).toMatchObject([{ id: "half", current: 1n, total: 2n }]);
});

test("output of one vertex is told up to a limit", async () => {
  const of = progress();
  const at = 1;
  const chunk = new Uint8Array(1024 * 1024).fill(65);
  for (let round = 0; round < 4; round++) {
    of.event({ kind: "log", vertex: COPY.digest, stream: "stderr", data: chunk, at });
  }
  of.event({ kind: "log", vertex: digestOf("other"), stream: "stdout", data: Buffer.from("still"), at });
  of.end();
  const logs = (await told(of)).flatMap(({ logs }) => logs);
  expect(logs.map(({ stream }) => stream)).toEqual([2n, 2n, 1n]);
  const text = Buffer.concat(logs.map(({ msg }) => msg)).toString();
  expect(text).toHaveLength(2 * 1024 * 1024 + "\n[output clipped, log limit 2MiB reached]\nstill".length);
});

test("who reads late hears all, and who goes away stops reading", async () => {
  const of = progress();
  const control = new AbortController();
  const read: string[] = [];
  const reading = (async () => {
    for await (const { vertexes } of of.read(control.signal)) read.push(...vertexes.map(({ name }) => name));
  })();
  await of.task("one", async () => {});
  control.abort();
  await reading;
  await of.task("two", async () => {});
  of.end();
  const late = (await told(of)).flatMap(({ vertexes }) => vertexes.map(({ name }) => name));
  expect([...read, ...late]).toEqual(["one", "one", "two", "two"]);
});
