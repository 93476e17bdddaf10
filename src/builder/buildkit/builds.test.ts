import { expect, test } from "bun:test";
import { HavreError, systemClock } from "../../base/mod.ts";
import { ClientBuilds } from "./builds.ts";
import { RpcError } from "./rpc/status.ts";

const UNUSED = new AbortController().signal;
const builds = () => new ClientBuilds(systemClock, () => "id");

test("a build is found before it begins, while it runs, and by its progress when it has ended", async () => {
  const all = builds();
  const early = all.running("a", UNUSED);
  const build = all.begin("a", "session", []);
  expect(await early).toBe(build);
  expect(await all.running("a", UNUSED)).toBe(build);
  await build.progress.task("work", async () => {});
  all.end(build);
  const names: string[] = [];
  for await (const { vertexes } of (await all.find("a", UNUSED)).progress.read(UNUSED)) {
    names.push(...vertexes.map(({ name }) => name));
  }
  expect(names).toEqual(["work", "work"]);
  await expect(all.running("a", UNUSED)).rejects.toThrow("no such job a");
});

test("who speaks of a build that failed hears why", async () => {
  const all = builds();
  const build = all.begin("a", "session", []);
  build.failure = new RpcError(2, "it broke");
  all.end(build);
  await expect(all.running("a", UNUSED)).rejects.toThrow("it broke");
});

test("a ref is one build's, and waiting for one can be given up", async () => {
  const all = builds();
  all.begin("a", "session", []);
  expect(() => all.begin("a", "session", [])).toThrow("job ID a exists");
  const control = new AbortController();
  const waiting = all.find("b", control.signal);
  control.abort(new HavreError("cancelled", "enough"));
  await expect(waiting).rejects.toThrow("enough");
});
