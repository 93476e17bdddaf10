import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Bench, specOf } from "./testing.ts";

let bench: Bench;
beforeAll(() => {
  bench = new Bench();
});
afterAll(() => bench[Symbol.dispose]());

describe("a plain container", () => {
  test("runs true", () => {
    const outcome = bench.run(specOf({ Cmd: ["/bin/true"] }));
    expect(outcome.stderr).toBe("");
    expect(outcome.code).toBe(0);
  });

  test("runs a shell with the host's network", () => {
    expect(bench.sh("echo hello; exit 0", { NetworkMode: "host" })).toBe("hello");
  });
});
