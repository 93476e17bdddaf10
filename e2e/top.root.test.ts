/** `havre top` as one has it on a terminal: what it shows, what keys do, and that the terminal is as it was afterwards. */
import { expect, test } from "bun:test";
import { HAVRE, TerminalSession, until, useEngine } from "./harness/mod.ts";

const engine = useEngine();

/** The view in a shell that says afterwards how it ended and how the terminal is. */
function view(size = { rows: 24, cols: 100 }): TerminalSession {
  const { root, run } = engine.own;
  const env = { HAVRE_ROOT: root, HAVRE_RUN: run, TERM: "xterm", LANG: "C.UTF-8" };
  const script = `stty -g >${engine.folder}/before; ${HAVRE} top; echo "ended with $?"; stty -g >${engine.folder}/after; exec cat`;
  return new TerminalSession(["sh", "-c", script], env, size);
}

async function sameTerminal(): Promise<boolean> {
  const [before, after] = await Promise.all(
    ["before", "after"].map((name) => Bun.file(`${engine.folder}/${name}`).text()),
  );
  return before !== "" && before === after;
}

const LEFT_SCREEN = "\x1b[?25h\x1b[?1049l";

/** The process of the view below the shell. */
async function pidOf(): Promise<number> {
  const found = await until("the view runs", async () => {
    const { stdout } = Bun.spawnSync(["pgrep", "-f", `^${HAVRE} top$`]);
    for (const pid of stdout.toString().split("\n").filter(Boolean)) {
      const env = await Bun.file(`/proc/${pid}/environ`).text();
      if (env.includes(`HAVRE_RUN=${engine.own.run}\0`)) return Number(pid);
    }
    return undefined;
  });
  return found;
}

test("shows what runs with its log, does what it is told after a yes, and gives the terminal back", async () => {
  const said = "i=0; while :; do i=$((i+1)); printf '\\033[31mline %s\\033[0m\\n' $i; sleep 0.2; done";
  await engine.ok([
    "run",
    "-d",
    "--name",
    "talker",
    "--label",
    "com.docker.compose.project=stage",
    "--stop-signal",
    "KILL",
    "bb",
    "sh",
    "-c",
    said,
  ]);
  await using top = view();
  await top.shows("\x1b[?1049h");
  await top.shows(/stage.*1\/1 up/);
  await top.shows(/talker.*up/);
  // The log is followed, without the colours that the container writes.
  await top.shows(/line 1 /);
  const followed = await top.shows(/line 6 /);
  expect(top.screen).not.toContain("\x1b[31mline");

  top.type("s");
  await top.shows("Stop talker?", followed);
  top.type("n");
  const kept = await top.shows("help", followed);
  expect(await engine.inspect("talker", "{{json .State.Running}}")).toBe(true);

  top.type("r");
  await top.shows("Restart talker?", kept);
  top.type("y");
  const restarted = await top.shows("talker was restarted", kept);

  // A shell, and back.
  top.type("e");
  const shell = await top.shows("/ #", restarted);
  top.type("echo inside-$((6*7))\r");
  await top.shows("inside-42", shell);
  top.type("exit\r");
  const back = await top.shows("\x1b[?1049h", shell);
  await top.shows("talker", back);

  top.resize(10, 50);
  await top.shows("\x1b[10;1H", back);
  top.type("x");
  await top.shows("Kill talker?", back);
  top.type("y");
  await until("it is dead", async () => !(await engine.inspect("talker", "{{json .State.Running}}")));
  await top.shows("No container runs", back);
  top.type("q");
  await top.shows("ended with 0");
  expect(top.screen).toContain(LEFT_SCREEN);
  await until("the terminal is as it was", sameTerminal);
});

test.each(["SIGTERM", "SIGHUP", "SIGINT"] as const)("%s leaves the terminal as it was", async (signal) => {
  await using top = view();
  await top.shows("No container runs");
  process.kill(await pidOf(), signal);
  await top.shows(/ended with 1(43|29|30)/);
  expect(top.screen).toContain(LEFT_SCREEN);
  await until("the terminal is as it was", sameTerminal);
});

test("waits for a daemon that is killed, and goes on with its next", async () => {
  await engine.ok(["run", "-d", "--name", "stays", "bb", "sleep", "600"]);
  await using top = view();
  const seen = await top.shows("stays");
  await engine.own.kill();
  const gone = await top.shows(/waiting for it/, seen);
  await engine.own.start();
  await top.shows(/1 up/, gone);
  top.type("q");
  await top.shows("ended with 0");
});

test("without a terminal it says what to do, and prints once what it would show", async () => {
  await engine.ok(["run", "-d", "--name", "worker", "-m", "64m", "bb", "sh", "-c", "while :; do :; done"]);
  const refused = await engine.havre(["top"]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("havre top draws on a terminal, and there is none\nhavre top --once");
  const { stdout } = await engine.havre(["top", "--once"]);
  expect(stdout).toMatch(/^PROJECT +NAME +STATE +CPU % +MEM +LIMIT/);
  expect(stdout).toMatch(/- +worker +up +[1-9][\d.]* +\S+ +64\.0M/);
  const [found] = JSON.parse((await engine.havre(["top", "--json"])).stdout);
  expect(found).toMatchObject({ name: "worker", state: "running", health: "none", usage: { memoryLimit: 64 << 20 } });
  expect(found.perSecond.cpuPercent).toBeGreaterThan(1);
  // With a name it is Docker's.
  expect((await engine.havre(["top", "worker"])).stdout).toContain("while :; do :; done");
});
