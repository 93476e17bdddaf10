import { describe, expect, test } from "bun:test";
import { commandTable, type Entry, type Group } from "./commands/table.ts";
import { runCommandLine, type Surroundings } from "./mod.ts";

/** Runs a command line that needs no daemon. */
async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const output = (write: (text: string) => void) => ({
    isTerminal: false,
    write: (data: Uint8Array | string) => write(typeof data === "string" ? data : Buffer.from(data).toString()),
    line: (text: string) => write(`${text}\n`),
  });
  const none = () => Promise.reject(new Error("not part of this test"));
  const world: Surroundings = {
    argv,
    env: { HAVRE_HOST: "unix:///nonexistent/havre.sock" },
    out: output((text) => {
      out += text;
    }),
    err: output((text) => {
      err += text;
    }),
    runDaemon: none,
    runRegistry: none,
    diagnose: none,
    rawTerminal: none,
  };
  const code = await runCommandLine(world);
  return { code, out, err };
}

function* leaves(group: Group, words: readonly string[] = []): Generator<[string, Entry]> {
  for (const [name, entry] of Object.entries(group.commands)) {
    if ("commands" in entry) yield* leaves(entry, [...words, name]);
    else yield [[...words, name].join(" "), entry];
  }
}

describe("every command", () => {
  test.each([...leaves(commandTable)])("%s has help with usage and examples", async (name, entry) => {
    if ("commands" in entry) return;
    const { command } = await entry.load();
    const { code, out } = await run(...name.split(" "), "--help");
    expect(code).toBe(0);
    expect(out).toStartWith(`Usage:  havre ${name}`);
    expect(out).toContain(command.summary);
    if (!entry.hidden) expect(out).toContain("Examples:\n  # ");
    expect(out.split("\n").every((line) => line === line.trimEnd())).toBe(true);
  });
});

test("an unknown flag is 125 with the nearest one named", async () => {
  expect(await run("ps", "--al")).toEqual({
    code: 125,
    out: "",
    err: "unknown flag: --al\nDid you mean --all?\nSee 'havre ps --help'.\n",
  });
});

test("a wrong number of arguments is 1, as Docker says it", async () => {
  const { code, err } = await run("rm");
  expect(code).toBe(1);
  expect(err).toStartWith("\"havre rm\" requires at least 1 argument.\nSee 'havre rm --help'.\n\nUsage:  havre rm ");
});

test("an unknown command names the nearest", async () => {
  const { code, err } = await run("imags");
  expect(code).toBe(1);
  expect(err).toContain("'imags' is not a havre command");
  expect(err).toContain("Did you mean 'havre images'?");
});

test("an unknown command after a group's own flags is told with its group", async () => {
  const { code, err } = await run("compose", "-p", "shop", "upp");
  // Docker compose's code for a wrong command line.
  expect(code).toBe(16);
  expect(err).toContain("'compose upp' is not a havre command");
  expect(err).toContain("Did you mean 'havre compose up'?");
});

test("a daemon that was named and is not there is told, none is started", async () => {
  const { code, err } = await run("ps");
  expect(code).toBe(1);
  expect(err).not.toContain("starting");
});

test("a wrong option of run is 125 before any daemon is asked", async () => {
  expect(await run("run", "--pid", "x", "bb")).toEqual({
    code: 125,
    out: "",
    err: "havre: --pid: invalid PID mode.\nSee 'havre run --help'.\n",
  });
});

test("help of groups lists their commands", async () => {
  expect((await run()).out).toContain("\n  builder ");
  expect((await run("image", "--help")).out).toContain("rollback");
  expect((await run("help", "ps")).out).toStartWith("Usage:  havre ps");
});
