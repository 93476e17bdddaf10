import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HAVRE, run, TerminalSession, TestDaemon, until, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const havre = engine.havre.bind(engine);
const label = ["--label", engine.filter.slice("label=".length)];

/** In a terminal of its own. */
function terminal(...args: string[]): TerminalSession {
  const { root, run: runFolder } = engine.own;
  return new TerminalSession([HAVRE, ...args], { HAVRE_ROOT: root, HAVRE_RUN: runFolder }, { rows: 30, cols: 100 });
}

describe("havre run", () => {
  test("streams apart, its exit code, nothing left with --rm", async () => {
    expect(await havre(["run", "--rm", ...label, "bb", "sh", "-c", "echo out; echo err >&2; exit 7"])).toEqual({
      code: 7,
      stdout: "out\n",
      stderr: "err\n",
    });
    expect((await havre(["ps", "-aq"])).stdout).toBe("");
  });

  test("standard input to its end, and much of it", async () => {
    const input = "x".repeat(5_000_000);
    const { stdout } = await havre(["run", "--rm", "-i", ...label, "bb", "wc", "-c"], { input });
    expect(stdout.trim()).toBe("5000000");
  });

  test.each([
    [["nosuch"], 127, 'exec: "nosuch": executable file not found in $PATH'],
    [["/etc"], 126, "permission denied"],
  ])("%j does not start: %i", async (command, code, text) => {
    const outcome = await havre(["run", "--rm", ...label, "bb", ...command]);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toStartWith("havre: Error response from daemon: ");
    expect(outcome.stderr).toContain(text);
    expect((await havre(["ps", "-aq"])).stdout).toBe("");
  });

  test("a missing image and a wrong flag are 125", async () => {
    expect((await havre(["run", "nosuch"])).code).toBe(125);
    const wrong = await havre(["run", "--nam", "x", "bb"]);
    expect(wrong).toEqual({
      code: 125,
      stdout: "",
      stderr: "unknown flag: --nam\nDid you mean --name?\nSee 'havre run --help'.\n",
    });
  });

  test("rm -f of one that removes itself", async () => {
    for (let round = 0; round < 5; round++) {
      await havre(["run", "-d", "--rm", "--name", "e2e-a", ...label, "bb", "sleep", "1000"]);
      expect(await havre(["rm", "-f", "e2e-a"])).toEqual({ code: 0, stdout: "e2e-a\n", stderr: "" });
    }
  });

  test("-d prints the id, --cidfile keeps it", async () => {
    const cidfile = join(engine.folder, "cid");
    const { stdout } = await havre(["run", "-d", "--cidfile", cidfile, ...label, "bb", "sleep", "1000"]);
    expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect(readFileSync(cidfile, "utf8")).toBe(stdout.trim());
    expect((await havre(["run", "--cidfile", cidfile, "bb"])).stderr).toContain("container ID file found");
  });

  test("the daemon killed meanwhile: it is said, the container goes on", async () => {
    await using session = terminal("run", "--name", "e2e-a", ...label, "bb", "sh", "-c", "echo begun; sleep 1000");
    await session.shows("begun");
    await engine.own.kill();
    await engine.own.start();
    expect(await session.exited()).toBe(125);
    expect(session.screen).toContain("The daemon went away; the container may still run");
    expect((await havre(["ps", "--format", "{{.Names}} {{.State}}"])).stdout).toBe("e2e-a running\n");
  });
});

describe("at a terminal", () => {
  test("size, resize, editing, Ctrl-C, detach and attach again", async () => {
    const first = terminal("run", "-it", "--name", "e2e-a", ...label, "bb", "sh");
    let seen = await first.shows("# ");
    await until("the new size has come", async () => {
      first.resize(40, 120);
      first.type("stty size\n");
      seen = await first.shows(/\d+ \d+\r/, seen);
      return first.screen.includes("40 120\r");
    });
    first.type("echo wrogn\b\bng\n");
    seen = await first.shows("\r\nwrong\r\n", seen);
    first.type("cat\n");
    seen = await first.shows("cat\r\n", seen);
    // A key that comes while the shell still edits the line is the shell's, not a signal.
    await until("the command runs", async () => / cat$/m.test((await havre(["top", "e2e-a"])).stdout));
    first.type("\x03");
    await first.shows("^C", seen);
    first.type("\x10\x11");
    expect(await first.exited()).toBe(0);
    await using second = terminal("attach", "e2e-a");
    await second.shows("# ");
    second.type("exit 5\n");
    expect(await second.exited()).toBe(5);
    await first[Symbol.asyncDispose]();
  });

  test("a signal goes to the container, which decides", async () => {
    await using session = terminal(
      "run",
      ...label,
      "bb",
      "sh",
      "-c",
      'trap "echo got; exit 9" INT; echo ready; while :; do sleep 0.1; done',
    );
    await session.shows("ready");
    session.type("\x03");
    expect(await session.exited()).toBe(9);
    expect(session.screen).toContain("got");
  });

  test("tables fit", async () => {
    await havre([
      "run",
      "-d",
      "--name",
      "e2e-a-with-a-name-that-is-longer-than-most-names-are",
      ...label,
      "bb",
      "sleep",
      "1000",
    ]);
    await using session = terminal("ps");
    await session.exited();
    expect(session.screen).toContain("e2e-a-with");
    const lines = session.screen.split("\r\n").filter((line) => line !== "");
    expect(lines).toHaveLength(2);
    expect(lines.every((line) => line.length <= 100)).toBe(true);
  });
});

describe("without a daemon", () => {
  test("commands that come together start one, and say so once", async () => {
    await using daemon = new TestDaemon();
    const env = {
      HAVRE_ROOT: daemon.root,
      HAVRE_RUN: daemon.run,
      HAVRE_BRIDGE: daemon.bridge,
      HAVRE_SUBNET: daemon.subnet,
    };
    try {
      const outcomes = await Promise.all([1, 2, 3, 4].map(() => run(HAVRE, ["ps", "-q"], { env })));
      expect(outcomes.map(({ code, stdout }) => `${code}${stdout}`)).toEqual(["0", "0", "0", "0"]);
      const said = outcomes.map(({ stderr }) => stderr).join("");
      expect(said).toBe(`No daemon answers: starting one in the background (log: ${daemon.run}/daemon.log)\n`);
      expect(daemonsOf(daemon.run)).toHaveLength(1);
      expect(existsSync(join(daemon.run, "starting.lock"))).toBe(false);
    } finally {
      for (const pid of daemonsOf(daemon.run)) process.kill(pid, "SIGTERM");
      await until("the daemon has ended", () => daemonsOf(daemon.run).length === 0);
    }
  });

  test("one that cannot start shows the end of its log", async () => {
    await using daemon = new TestDaemon();
    mkdirSync(daemon.root, { recursive: true });
    writeFileSync(join(daemon.root, "state.db"), "no database".repeat(1000));
    const env = { HAVRE_ROOT: daemon.root, HAVRE_RUN: daemon.run, HAVRE_BRIDGE: daemon.bridge };
    const outcome = await run(HAVRE, ["ps"], { env });
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toContain("The daemon ended at once (exit code 1)");
    expect(outcome.stderr).toContain("state.db");
  });
});

/** Daemons whose run folder this is. */
function daemonsOf(runFolder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        return command.includes("daemon") && command.includes(runFolder);
      } catch {
        // It ended while it was looked at.
        return false;
      }
    });
}
