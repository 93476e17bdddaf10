/** The `havre` command: the same verbs as docker, and what goes beyond. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { HAVRE, OTHER_ENGINE, type Outcome, run, until, useEngine } from "./harness/mod.ts";
import { TerminalSession } from "./harness/terminal.ts";

const engine = useEngine();
const havre = async (...args: string[]): Promise<Outcome> => engine.havre(args);
const must = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await havre(...args);
  if (code !== 0) throw new Error(`havre ${args.join(" ")} exited with ${code}: ${stderr}`);
  return stdout.trimEnd();
};

describe.skipIf(OTHER_ENGINE !== undefined)("havre", () => {
  test("runs, with docker's exit codes and streams", async () => {
    expect(await havre("run", "--rm", "bb", "sh", "-c", "echo o; echo e >&2; exit 9")).toEqual({
      code: 9,
      stdout: "o\n",
      stderr: "e\n",
    });
    expect((await havre("run", "--rm", "bb", "nothing-here")).code).toBe(127);
    expect((await havre("run", "--rm", "bb", "/etc/passwd")).code).toBe(126);
    expect((await havre("run", "--no-such-flag")).code).toBe(125);
    expect((await engine.havre(["run", "-i", "--rm", "bb", "cat"], { input: "typed" })).stdout).toBe("typed");
  });

  test("the life of a container by its verbs", async () => {
    await must("create", "--name", "e2e-v", "bb", "sleep", "1000");
    for (const verb of [["start"], ["pause"], ["unpause"], ["restart", "-t", "0"], ["stop", "-t", "0"], ["rm"]]) {
      expect(await must(...verb, "e2e-v")).toBe("e2e-v");
    }
    expect((await havre("inspect", "e2e-v")).code).toBe(1);
  });

  test("--json and --format on what prints objects", async () => {
    await must("run", "-d", "--name", "e2e-j", "bb", "sleep", "1000");
    try {
      const rows = JSON.parse(await must("ps", "--json")) as { readonly Names: unknown }[];
      expect(JSON.stringify(rows)).toContain("e2e-j");
      expect(await must("ps", "--format", "{{.Names}} {{.State}}")).toBe("e2e-j running");
      expect(JSON.stringify(JSON.parse(await must("images", "--json")))).toContain("bb");
      for (const verb of [
        ["inspect", "e2e-j"],
        ["version", "--json"],
        ["info", "--json"],
        ["system", "df", "--json"],
      ]) {
        expect(typeof JSON.parse(await must(...verb))).toBe("object");
      }
    } finally {
      await must("rm", "-f", "e2e-j");
    }
  });

  test("the same as docker prints, where nothing is asked of its own", async () => {
    await must("run", "-d", "--name", "e2e-same", "-l", "a=b", "bb", "sleep", "1000");
    try {
      for (const args of [
        ["ps", "-a", "--no-trunc"],
        ["inspect", "e2e-same"],
        ["images"],
        ["image", "inspect", "bb"],
        ["history", "--no-trunc", "bb"],
        ["diff", "e2e-same"],
        ["port", "e2e-same"],
        ["top", "e2e-same"],
      ]) {
        const [own, docker] = [await must(...args), await engine.ok(args)];
        const plain = (text: string): string =>
          text.replace(/(Up|About|Less|\d+) .*?(second|minute)s?( ago)?/g, "T").replace(/ +/g, " ");
        expect(`${args}\n${plain(own)}`).toBe(`${args}\n${plain(docker.trimEnd())}`);
      }
    } finally {
      await must("rm", "-f", "e2e-same");
    }
  });

  test("logs of a removed container", async () => {
    await must("run", "--name", "e2e-removed", "bb", "echo", "still to be read");
    await must("rm", "e2e-removed");
    expect(await must("logs", "--removed", "e2e-removed")).toBe("still to be read");
    await must("run", "--name", "e2e-forgotten", "--label", "havre.logs.keep=0", "bb", "echo", "not to be kept");
    await must("rm", "e2e-forgotten");
    const gone = await engine.havre(["logs", "--removed", "e2e-forgotten"]);
    expect([gone.code, gone.stderr]).toEqual([
      1,
      expect.stringContaining("No logs of a removed container e2e-forgotten"),
    ]);
  });

  test("an image's history, differences and rollback", async () => {
    await must("run", "--profile", "docker", "--name", "e2e-c", "bb", "sh", "-c", "echo one > /one; rm /etc/group");
    await must("commit", "-m", "first", "-a", "someone", "e2e-c", "e2e-hist:1");
    const first = await must("image", "inspect", "-f", "{{.Id}}", "e2e-hist:1");
    await must("rm", "e2e-c");
    await must("run", "--grant", "write:/", "--name", "e2e-c", "bb", "touch", "/two");
    await must("commit", "-m", "second", "e2e-c", "e2e-hist:1");
    await must("rm", "e2e-c");
    const log = await must("image", "log", "e2e-hist:1");
    expect(log).toContain("second");
    const diff = await must("diff", "bb", first);
    expect(diff).toContain("/one");
    expect(diff).toContain("/etc/group");
    await must("image", "rollback", "e2e-hist:1");
    expect(await must("image", "inspect", "-f", "{{.Id}}", "e2e-hist:1")).toBe(first);
    await must("rmi", "-f", "e2e-hist:1");
  });

  test("a terminal: prompt, size, detach", async () => {
    const { root, run: runFolder } = engine.own;
    const env = { HAVRE_ROOT: root, HAVRE_RUN: runFolder };
    await using terminal = new TerminalSession([HAVRE, "run", "-it", "--name", "e2e-t", "bb", "sh"], env, {
      rows: 31,
      cols: 97,
    });
    const seen = await terminal.shows("# ");
    await until("the size has come", () => {
      terminal.type("stty size\n");
      return terminal.screen.includes("31 97\r");
    });
    terminal.type("\x10\x11");
    expect(await terminal.exited()).toBe(0);
    expect(seen).toBeGreaterThan(0);
    expect(await must("inspect", "-f", "{{.State.Running}}", "e2e-t")).toBe("true");
    await must("rm", "-f", "e2e-t");
  });

  test("says what a mistake was, and what to do", async () => {
    expect((await havre("rnu")).stderr).toContain("run");
    expect((await havre("inspect", "e2e-none")).stderr).toContain("No such object: e2e-none");
    expect((await havre("run", "e2e-no-image:1")).stderr).toContain("e2e-no-image:1");
    expect((await havre("--help")).stdout).toContain("Usage:  havre");
    for (const shell of ["bash", "zsh", "fish"]) expect((await must("completion", shell)).length).toBeGreaterThan(100);
  });

  test("starts the engine where none runs, and says so in one line", async () => {
    const place = join(engine.folder, "alone");
    mkdirSync(place);
    const flags = ["--root", join(place, "root"), "--run", join(place, "run")];
    const taken = existsSync("/sys/class/net/havre0");
    const first = await run(HAVRE, [...flags, "ps"]);
    try {
      if (taken) {
        // This machine has a daemon with the default bridge: the second is told so.
        expect(first.stderr).toContain("Bridge havre0 is in use by another daemon");
        return;
      }
      expect(first.code).toBe(0);
      expect(first.stderr.trim().split("\n")).toHaveLength(1);
      expect((await run(HAVRE, [...flags, "ps"])).stderr).toBe("");
    } finally {
      const processes = (await run("ps", ["-eo", "pid,args"])).stdout
        .split("\n")
        .filter((line) => line.includes(join(place, "root")));
      for (const line of processes) process.kill(Number.parseInt(line, 10), "SIGTERM");
      await until("it has ended", async () => !(await run("ps", ["-eo", "args"])).stdout.includes(join(place, "root")));
      if (!taken) await run(HAVRE, ["daemon", ...flags, "--cleanup"]);
    }
  });

  test("doctor gives each finding a consequence or a remedy", async () => {
    const outcome = await havre("doctor");
    expect(outcome.stdout).toContain("cgroup");
    expect(outcome.stdout).toContain("conmon");
  });
});
