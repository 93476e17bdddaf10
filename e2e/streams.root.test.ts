import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { OTHER_ENGINE, until, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const docker = engine.docker.bind(engine);
const ok = engine.ok.bind(engine);
const sleeper = (name: string, ...flags: string[]): Promise<string> =>
  ok(["run", "-d", "--name", name, "--net", "none", ...flags, "bb", "sleep", "1000"]);

describe("exec", () => {
  test("output on both streams, code, input", async () => {
    await sleeper("e2e-a");
    expect(await docker(["exec", "e2e-a", "sh", "-c", "echo o; echo e >&2; exit 4"])).toEqual({
      code: 4,
      stdout: "o\n",
      stderr: "e\n",
    });
    expect(await ok(["exec", "-i", "e2e-a", "cat"], { input: "typed" })).toBe("typed");
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 7) & 255));
    expect((await engine.dockerBytes(["exec", "-i", "e2e-a", "cat"], { input: bytes })).stdout.equals(bytes)).toBe(
      true,
    );
    expect(await ok(["exec", "-i", "e2e-a", "sh", "-c", "cat >/dev/null; sleep 0.2; echo after"], { input: "x" })).toBe(
      "after",
    );
  });

  test("environment, user, folder, privileges", async () => {
    await sleeper("e2e-a", "-e", "A=1");
    const flags = ["-e", "B=2", "-u", "65534", "-w", "/tmp"];
    expect(await ok(["exec", ...flags, "e2e-a", "sh", "-c", "echo $A$B $(id -u) $PWD"])).toBe("12 65534 /tmp");
    const effective = ["e2e-a", "awk", "/CapEff/{print $2}", "/proc/self/status"];
    expect(await ok(["exec", ...effective])).toBe("00000000a80425fb");
    expect(BigInt(`0x${await ok(["exec", "--privileged", ...effective])}`)).toBeGreaterThan(0x10_0000_0000n);
  });

  test("126, 127, not running, not there", async () => {
    await sleeper("e2e-a");
    expect((await docker(["exec", "e2e-a", "nothing-here"])).code).toBeOneOf([126, 127]);
    expect((await docker(["exec", "e2e-a", "/etc/passwd"])).code).toBe(126);
    await ok(["kill", "e2e-a"]);
    await ok(["wait", "e2e-a"]);
    const stopped = await docker(["exec", "e2e-a", "true"]);
    expect(stopped.code).toBe(1);
    expect(stopped.stderr).toMatch(/container [0-9a-f]{64} is not running/);
    expect((await docker(["exec", "e2e-none", "true"])).stderr).toContain("No such container: e2e-none");
  });

  test("detached goes on, its end is seen by inspect", async () => {
    await sleeper("e2e-a");
    expect(await ok(["exec", "-d", "e2e-a", "sh", "-c", "echo done > /tmp/mark"])).toBe("");
    await until("it has run", async () => (await docker(["exec", "e2e-a", "cat", "/tmp/mark"])).stdout === "done\n");
    const created = (await (
      await engine.api("POST", "/containers/e2e-a/exec", { Cmd: ["sh", "-c", "exit 12"] })
    ).json()) as { Id: string };
    expect((await engine.api("POST", `/exec/${created.Id}/start`, { Detach: true })).status).toBe(200);
    const ended = await until("it ends", async () => {
      const exec = (await (await engine.api("GET", `/exec/${created.Id}/json`)).json()) as {
        Running: boolean;
        ExitCode: number | null;
      };
      return !exec.Running && exec.ExitCode !== null && exec;
    });
    expect(ended.ExitCode).toBe(12);
    expect((await engine.api("POST", `/exec/${created.Id}/start`, { Detach: true })).status).toBe(409);
  });

  test("a process left behind by exec ends with the container", async () => {
    await sleeper("e2e-a");
    await ok(["exec", "-d", "e2e-a", "sleep", "2000"]);
    await until("it runs", async () => (await ok(["top", "e2e-a"])).includes("sleep 2000"));
    await ok(["rm", "-f", "e2e-a"]);
  });

  test("in a terminal: size, resize, keys", async () => {
    await sleeper("e2e-a");
    await using terminal = engine.terminal(["exec", "-it", "e2e-a", "sh"], { rows: 30, cols: 100 });
    let seen = await terminal.shows("# ");
    await until("the size has come", async () => {
      terminal.type("stty size\n");
      seen = await terminal.shows(/\d+ \d+\r/, seen);
      return terminal.screen.includes("30 100\r");
    });
    terminal.resize(40, 120);
    await until("the new size has come", async () => {
      terminal.type("stty size\n");
      seen = await terminal.shows(/\d+ \d+\r/, seen);
      return terminal.screen.includes("40 120\r");
    });
    terminal.type("sleep 100\n");
    // A key that comes while the shell still edits the line is the shell's, not a signal.
    await until("the command runs", async () => /sleep 100$/m.test((await docker(["top", "e2e-a"])).stdout));
    terminal.type("\x03");
    seen = await terminal.shows("^C", seen);
    terminal.type("exit 3\n");
    expect(await terminal.exited()).toBe(3);
  });
});

describe("logs", () => {
  const chatty = (script: string, ...flags: string[]): Promise<string> =>
    ok(["run", "--name", "e2e-a", "--net", "none", ...flags, "bb", "sh", "-c", script]);

  test("both streams apart, tail, empty lines, a last line without an end", async () => {
    await chatty("echo 1; echo 2 >&2; echo; printf 3", "-d");
    await ok(["wait", "e2e-a"]);
    expect(await docker(["logs", "e2e-a"])).toEqual({ code: 0, stdout: "1\n\n3", stderr: "2\n" });
    expect((await docker(["logs", "--tail", "1", "e2e-a"])).stdout).toBe("3");
    expect((await docker(["logs", "--tail", "0", "e2e-a"])).stdout).toBe("");
  });

  test("a short command's are there when its start has answered, a long one's are not waited for", async () => {
    await ok(["create", "--name", "e2e-a", "bb", "sh", "-c", "echo done"]);
    for (let run = 1; run <= 3; run++) {
      expect((await engine.api("POST", "/containers/e2e-a/start")).status).toBe(204);
      expect(await ok(["logs", "e2e-a"])).toBe(Array(run).fill("done").join("\n"));
      await ok(["wait", "e2e-a"]);
    }
    await ok(["run", "-d", "--name", "e2e-b", "bb", "sleep", "1000"]);
    expect(await ok(["logs", "e2e-b"])).toBe("");
  });

  test("times: printed, since, until", async () => {
    await chatty("echo early; sleep 1.2; echo late");
    const lines = (await ok(["logs", "-t", "e2e-a"])).split("\n");
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z early$/);
    const [first = ""] = (lines[1] ?? "").split(" ");
    const between = new Date(Date.parse(first) - 500).toISOString();
    expect(await ok(["logs", "--since", between, "e2e-a"])).toBe("late");
    expect(await ok(["logs", "--until", between, "e2e-a"])).toBe("early");
  });

  test("follow: what was, what comes, and the end", async () => {
    await chatty("echo one; read x; echo two", "-d", "-i");
    const followed = docker(["logs", "-f", "e2e-a"]);
    await until("the first line is there", async () => (await ok(["logs", "e2e-a"])) === "one");
    await ok(["attach", "e2e-a"], { input: "go\n" });
    expect(await followed).toEqual({ code: 0, stdout: "one\ntwo\n", stderr: "" });
  });

  test("long lines and many lines arrive whole and in order", async () => {
    await chatty("head -c 300000 /dev/zero | tr '\\0' x; echo; seq 1 50000", "-d");
    await ok(["wait", "e2e-a"]);
    const { stdout } = await docker(["logs", "e2e-a"]);
    const expected = `${"x".repeat(300_000)}\n${Array.from({ length: 50_000 }, (_, index) => index + 1).join("\n")}\n`;
    expect(stdout.length).toBe(expected.length);
    expect(stdout === expected).toBe(true);
  });

  // Docker keeps logs as JSON and loses such bytes.
  test.skipIf(OTHER_ENGINE !== undefined)("bytes that are no text", async () => {
    await chatty("printf '\\001\\377\\000\\200\\n'", "-d");
    await ok(["wait", "e2e-a"]);
    expect((await engine.dockerBytes(["logs", "e2e-a"])).stdout).toEqual(Buffer.from([1, 255, 0, 128, 10]));
  });

  test("a terminal's output is one stream", async () => {
    await chatty("echo a; echo b >&2", "-d", "-t");
    await ok(["wait", "e2e-a"]);
    expect(await docker(["logs", "e2e-a"])).toMatchObject({ stdout: "a\r\nb\r\n", stderr: "" });
  });

  test("they are kept over restarts", async () => {
    await chatty("echo again");
    await ok(["start", "-a", "e2e-a"]);
    expect(await ok(["logs", "e2e-a"])).toBe("again\nagain");
  });
});

describe("attach", () => {
  test("several at once see the same; input from one", async () => {
    await ok(["run", "-d", "-i", "--name", "e2e-many", "bb", "sh", "-c", "read x; echo got $x"]);
    const since = (Date.now() / 1000).toFixed(3);
    const readers = [1, 2, 3].map(() => docker(["attach", "--no-stdin", "e2e-many"]));
    await until("all are attached", async () => {
      const events = [
        "events",
        "--since",
        since,
        "--until",
        (Date.now() / 1000).toFixed(3),
        "--filter",
        "event=attach",
        "--filter",
        "container=e2e-many",
      ];
      return (await ok(events)).split("\n").length === 3;
    });
    await ok(["attach", "e2e-many"], { input: "it\n" });
    expect((await Promise.all(readers)).map(({ stdout }) => stdout)).toEqual(["got it\n", "got it\n", "got it\n"]);
  });

  test("the exit code is the container's", async () => {
    await ok(["run", "-d", "-i", "--name", "e2e-a", "bb", "sh", "-c", "read x; exit 11"]);
    expect((await docker(["attach", "e2e-a"], { input: "\n" })).code).toBe(11);
  });

  test("not running, paused", async () => {
    await ok(["create", "--name", "e2e-a", "bb", "true"]);
    expect((await docker(["attach", "e2e-a"])).stderr).toContain("cannot attach to a stopped container");
  });

  test("a person at a terminal: editing, Ctrl-C, detach and attach again", async () => {
    await using first = engine.terminal(["run", "-it", "--name", "e2e-a", "bb", "sh"]);
    let seen = await first.shows("# ");
    first.type("echo wrogn\b\bng\n");
    seen = await first.shows("\r\nwrong\r\n", seen);
    first.type("cat\n");
    seen = await first.shows("cat\r\n", seen);
    // A key that comes while the shell still edits the line is the shell's, not a signal.
    await until("the command runs", async () => / cat$/m.test((await docker(["top", "e2e-a"])).stdout));
    first.type("\x03");
    seen = await first.shows("# ", seen);
    first.type("\x10\x11");
    expect(await first.exited()).toBe(0);
    expect(await ok(["inspect", "-f", "{{.State.Running}}", "e2e-a"])).toBe("true");
    await using second = engine.terminal(["attach", "e2e-a"]);
    await until("the shell answers", async () => {
      second.type("echo $((40+2))\n");
      return second.screen.includes("42\r\n");
    });
    second.type("exit 6\n");
    expect(await second.exited()).toBe(6);
  });

  test("own detach keys; given letters that are no detach reach the process", async () => {
    await ok(["run", "-dit", "--name", "e2e-a", "bb", "cat"]);
    await using terminal = engine.terminal(["attach", "--detach-keys", "ctrl-x,x", "e2e-a"]);
    await until("cat answers", async () => {
      terminal.type("\x18y\n");
      return terminal.screen.includes("y\r\n");
    });
    terminal.type("\x18x");
    expect(await terminal.exited()).toBe(1);
    expect(terminal.screen).toContain("read escape sequence");
    expect(await ok(["inspect", "-f", "{{.State.Running}}", "e2e-a"])).toBe("true");
  });

  test("raw: a multiplexed frame for each piece, at once, half-close kept", async () => {
    // `create -i` sets StdinOnce: the half-close ends the container's input. Without it, it ends the attachment.
    await ok(["create", "-i", "--name", "e2e-a", "bb", "sh", "-c", "cat; echo end >&2"]);
    const socket = connect(engine.host.replace("unix://", ""));
    const received: Buffer[] = [];
    socket.on("data", (data: Buffer) => received.push(data));
    const all = (): Buffer => Buffer.concat(received);
    socket.write(
      "POST /v1.45/containers/e2e-a/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
    );
    await until("it is upgraded", () => all().includes("\r\n\r\n"));
    const header = all().subarray(0, all().indexOf("\r\n\r\n")).toString();
    expect(header).toStartWith("HTTP/1.1 101 UPGRADED");
    expect(header).toContain("Content-Type: application/vnd.docker.multiplexed-stream");
    const body = (): string =>
      all()
        .subarray(all().indexOf("\r\n\r\n") + 4)
        .toString("latin1");
    await ok(["start", "e2e-a"]);
    socket.write("piece");
    await until("the piece is back", () => body() === "\x01\0\0\0\0\0\0\x05piece");
    socket.end();
    await new Promise((resolve) => socket.once("close", resolve));
    expect(body()).toBe("\x01\0\0\0\0\0\0\x05piece\x02\0\0\0\0\0\0\x04end\n");
  });

  test("what was logged, alone or ahead of what comes", async () => {
    await ok(["run", "--name", "e2e-a", "bb", "sh", "-c", "echo out; echo err >&2"]);
    const all = "stdout=1&stderr=1";
    const said = await Promise.all(
      [`logs=1&${all}`, "logs=1&stderr=1", all].map((query) => attachedText(`/containers/e2e-a/attach?${query}`)),
    );
    expect(said).toEqual(["\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n", "\x02\0\0\0\0\0\0\x04err\n", ""]);
    await ok(["run", "-dit", "--name", "e2e-b", "bb", "sh", "-c", "echo one; read x; echo two"]);
    await until("the first line is logged", async () => (await ok(["logs", "e2e-b"])).startsWith("one"));
    const live = connect(engine.host.replace("unix://", ""));
    live.write(attachRequest("/containers/e2e-b/attach?logs=1&stream=1&stdin=1&stdout=1"));
    let seen = "";
    live.on("data", (data: Buffer) => {
      seen += data.toString();
    });
    await until("the log is there", () => seen.endsWith("\r\n\r\none\r\n"));
    live.write("go\n");
    await new Promise((resolve) => live.once("close", resolve));
    expect(seen).toEndWith("one\r\ngo\r\ntwo\r\n");
  });

  test("a hundred clients at once, megabytes each, all get all", async () => {
    await ok(["run", "-d", "-i", "--name", "e2e-a", "bb", "sh", "-c", "read x; seq 1 100000; echo end"]);
    const path = "/containers/e2e-a/attach?stream=1&stdout=1";
    const sockets = await Promise.all(Array.from({ length: 100 }, () => attachRaw(path)));
    await ok(["attach", "e2e-a"], { input: "go\n" });
    const digests = await Promise.all(sockets.map((socket) => socket.end));
    const expected = createHash("sha256")
      .update(`${Array.from({ length: 100_000 }, (_, index) => index + 1).join("\n")}\nend\n`)
      .digest("hex");
    expect([...new Set(digests)]).toEqual([expected]);
  }, 60_000);
});

function attachRequest(path: string): string {
  return `POST /v1.45${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`;
}

/** Everything an attached connection says until the engine ends it, frames and all. */
async function attachedText(path: string): Promise<string> {
  const socket = connect(engine.host.replace("unix://", ""));
  const received: Buffer[] = [];
  socket.on("data", (data: Buffer) => received.push(data));
  socket.write(attachRequest(path));
  await new Promise((resolve, reject) => {
    socket.once("close", resolve);
    socket.once("error", reject);
  });
  const all = Buffer.concat(received);
  return all.subarray(all.indexOf("\r\n\r\n") + 4).toString("latin1");
}

/** Attaches and promises the digest of the whole standard output, frames taken off. */
async function attachRaw(path: string): Promise<{ readonly end: Promise<string> }> {
  const socket = connect(engine.host.replace("unix://", ""));
  const hash = createHash("sha256");
  let pending = Buffer.alloc(0);
  const { promise: upgraded, resolve: isUpgraded } = Promise.withResolvers<void>();
  const { promise: end, resolve: ended, reject: failed } = Promise.withResolvers<string>();
  let headers = true;
  socket.on("error", failed);
  socket.on("data", (data: Buffer) => {
    pending = Buffer.concat([pending, data]);
    if (headers) {
      const stop = pending.indexOf("\r\n\r\n");
      if (stop < 0) return;
      pending = pending.subarray(stop + 4);
      headers = false;
      isUpgraded();
    }
    while (pending.length >= 8 && pending.length >= 8 + pending.readUInt32BE(4)) {
      const length = pending.readUInt32BE(4);
      hash.update(pending.subarray(8, 8 + length));
      pending = pending.subarray(8 + length);
    }
  });
  socket.on("close", () => ended(hash.digest("hex")));
  socket.write(attachRequest(path));
  await upgraded;
  return { end };
}
