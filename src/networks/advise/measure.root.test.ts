import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { heldNamespaces, interfaces, sh } from "../test-host.ts";
import { measureModes } from "./mod.ts";

setDefaultTimeout(60_000);

const PROGRAM = [process.execPath, join(import.meta.dirname, "..", "..", "main.ts"), "__measure"];

test("each mode has figures, and nothing is left on the host", async () => {
  const before = { interfaces: interfaces().filter((name) => name.startsWith("up")), namespaces: heldNamespaces() };
  const modes = await measureModes(PROGRAM);
  expect(modes.map(({ mode, problem }) => [mode, problem])).toEqual([
    ["host", undefined],
    ["bridge", undefined],
    ["macvlan", undefined],
  ]);
  for (const { between, outside } of modes) {
    for (const figure of [between, outside]) {
      expect(figure?.latency).toBeGreaterThan(0);
      expect(figure?.throughput).toBeGreaterThan(1e6);
    }
  }
  expect({ interfaces: interfaces().filter((name) => name.startsWith("up")), namespaces: heldNamespaces() }).toEqual(
    before,
  );
  expect(sh("nft list tables")).not.toContain("havre-lab");
});

test("a client that goes away ends it", async () => {
  const namespaces = heldNamespaces();
  const abort = new AbortController();
  const measuring = measureModes(PROGRAM, abort.signal);
  abort.abort(new Error("gone"));
  await expect(measuring).rejects.toThrow();
  expect(heldNamespaces()).toBe(namespaces);
});
