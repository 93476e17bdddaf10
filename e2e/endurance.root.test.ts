/** Many containers and many of one after the other: memory and descriptors of the daemon stay as they are. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { OTHER_ENGINE, useEngine } from "./harness/mod.ts";

const engine = useEngine();

interface Held {
  /** Megabytes. */
  readonly memory: number;
  readonly descriptors: number;
}
function held(): Held {
  const { pid } = engine.own;
  const rss = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return { memory: Number(rss) / 1024, descriptors: readdirSync(`/proc/${pid}/fd`).length };
}

async function call(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await engine.api(method, path, body);
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

async function create(command: readonly string[]): Promise<string> {
  const { Id } = (await call("POST", "/containers/create", {
    Image: "bb",
    Cmd: command,
    HostConfig: { NetworkMode: "none" },
  })) as { readonly Id: string };
  return Id;
}

/** Runs `work` `times` times, eight at a time. */
async function eightAtATime(times: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < times) await work(next++);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

describe.skipIf(OTHER_ENGINE !== undefined)("the daemon", () => {
  test("holds no more after a thousand containers than after two hundred", async () => {
    const cycle = async (): Promise<void> => {
      const id = await create(["true"]);
      const exit = call("POST", `/containers/${id}/wait?condition=next-exit`);
      await call("POST", `/containers/${id}/start`);
      expect(await exit).toMatchObject({ StatusCode: 0 });
      await call("DELETE", `/containers/${id}`);
    };
    await eightAtATime(200, cycle);
    const before = held();
    await eightAtATime(800, cycle);
    const after = held();
    expect(await call("GET", "/containers/json?all=1")).toEqual([]);
    expect(after.descriptors - before.descriptors).toBeLessThan(10);
    expect(after.memory - before.memory).toBeLessThan(32);
  }, 300_000);

  test("keeps five hundred at once, finds them again, lists and removes them", async () => {
    const ids: string[] = [];
    await eightAtATime(500, async () => {
      const id = await create(["sleep", "100000"]);
      await call("POST", `/containers/${id}/start`);
      ids.push(id);
    });
    await engine.own.kill();
    const started = performance.now();
    await engine.own.start();
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(await call("GET", "/containers/json")).toHaveLength(500);
    expect(held().memory).toBeLessThan(400);
    await eightAtATime(500, async (index) => {
      await call("DELETE", `/containers/${ids[index]}?force=1`);
    });
    expect(await call("GET", "/containers/json?all=1")).toEqual([]);
  }, 300_000);
});
