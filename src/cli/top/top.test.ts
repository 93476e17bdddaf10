import { describe, expect, test } from "bun:test";
import { displayWidth } from "../output/width.ts";
import { Board, HISTORY } from "./board.ts";
import { frame } from "./frame.ts";
import { glyphsFor, sparkline } from "./glyphs.ts";
import { KeyReader } from "./keys.ts";
import { LogText, plain } from "./log-tail.ts";
import type { Look, Reading } from "./look.ts";
import { arrange } from "./rows.ts";
import type { Scene } from "./scene.ts";
import { INITIAL, press, type Shown, type TopState } from "./state.ts";
import { age, rate, size } from "./units.ts";

const UTF8 = glyphsFor({ LANG: "C.UTF-8", TERM: "xterm" });
const MB = 1 << 20;

interface Given extends Partial<Omit<Reading, "usage">> {
  /** Milliseconds of processor time so far. */
  readonly cpu?: number;
  readonly memory?: number;
  readonly limit?: number;
  readonly received?: number;
}

function reading(
  name: string,
  at: number,
  { cpu = 0, memory = MB, limit, received = 0, ...rest }: Given = {},
): Reading {
  const usage = {
    at,
    cpu: cpu * 1e6,
    memory,
    ...(limit === undefined ? {} : { memoryLimit: limit }),
    ...{ received, sent: 0, read: 0, written: 0, processes: 1 },
  };
  const state = rest.state ?? "running";
  return {
    ...{
      id: name,
      name,
      image: "bb",
      labels: {},
      state,
      health: "none",
      exitCode: 0,
      startedAt: 0,
      restarts: 0,
      ports: [],
    },
    ...rest,
    ...(state === "running" ? { usage } : {}),
  };
}

function look(at: number, ...containers: Reading[]): Look {
  const stopped = containers.filter(({ usage }) => !usage).length;
  return { at, cpus: 2, memory: 1024 * MB, stopped, containers };
}

const project = (name: string) => ({ labels: { "com.docker.compose.project": name } });

function board(...looks: Look[]): Board {
  const made = new Board();
  for (const each of looks) made.take(each);
  return made;
}

const names = (state: Partial<TopState>, from: Board) =>
  arrange(from.meters(), { ...INITIAL, ...state }).map((row) =>
    row.kind === "project" ? `[${row.name}]` : row.meter.reading.name,
  );

describe("board", () => {
  test("rates are differences by time; a new start begins anew", () => {
    const two = board(look(0, reading("a", 0)), look(2000, reading("a", 2000, { cpu: 500, received: 4000 })));
    expect(two.meters()[0]).toMatchObject({ cpu: 25, received: 2000 });
    two.take(look(3000, reading("a", 3000, { cpu: 10 })));
    expect(two.meters()[0]).toMatchObject({ cpu: 25, received: 0 });
    two.take(look(4000, reading("a", 4000, { cpu: 110 })));
    expect(two.meters()[0]?.cpu).toBe(10);
    expect(two.total.at(-1)).toBe(10);
  });

  test("histories are bounded, and gone with their container", () => {
    const looks = Array.from({ length: HISTORY + 9 }, (_, at) => look(at * 1000, reading("a", at * 1000, { cpu: at })));
    const long = board(...looks);
    expect(long.meters()[0]?.history.length).toBe(HISTORY);
    long.take(look(1e6));
    long.take(look(1e6 + 1, reading("a", 1e6 + 1)));
    expect(long.meters()[0]?.history).toEqual([]);
  });
});

describe("rows", () => {
  const some = board(
    look(0, ...["web-10", "web-2", "db", "alone"].map((name) => reading(name, 0))),
    look(
      1000,
      reading("web-10", 1000, { cpu: 10, ...project("shop") }),
      reading("web-2", 1000, { cpu: 10, memory: 9 * MB, ...project("shop") }),
      reading("db", 1000, { cpu: 700, health: "unhealthy", ...project("data") }),
      reading("alone", 1000, { cpu: 1 }),
      reading("gone", 1000, { state: "exited", exitCode: 3, ...project("shop") }),
    ),
  );

  test("projects by what their members use together; what is equal by name, numbers by value", () => {
    expect(names({}, some)).toEqual(["alone", "[data]", "db", "[shop]", "web-2", "web-10", "gone"]);
    expect(names({ grouped: false }, some)).toEqual(["db", "web-2", "web-10", "alone", "gone"]);
    expect(names({ grouped: false, sort: "memory" }, some)[0]).toBe("web-2");
    expect(names({ grouped: false, sort: "state" }, some).slice(0, 2)).toEqual(["db", "gone"]);
    expect(names({ sort: "name", reversed: true }, some)).toEqual([
      "alone",
      "[shop]",
      "web-10",
      "web-2",
      "gone",
      "[data]",
      "db",
    ]);
  });

  test("a filter's words are found in name, project, image and state", () => {
    expect(names({ filter: "SHOP web" }, some)).toEqual(["[shop]", "web-2", "web-10"]);
    expect(names({ filter: "unhealthy" }, some)).toEqual(["[data]", "db"]);
    expect(names({ filter: "exited 3" }, some)).toEqual(["[shop]", "gone"]);
    expect(names({ filter: "nothing" }, some)).toEqual([]);
  });
});

describe("keys", () => {
  test("sequences, control characters, text of several bytes in two pieces", () => {
    const reader = new KeyReader();
    expect(reader.read(Buffer.from("\x1b[A\x1bOB\x1b[5~\x1b[1;5C\x1b[Zq\r\x7f\x03"))).toEqual(
      ["up", "down", "pageup", "right", "q", "enter", "backspace", "ctrl-c"], // Shift-Tab has no meaning here.
    );
    expect(reader.read(Buffer.from("\x1b"))).toEqual(["escape"]);
    const bytes = Buffer.from("é");
    expect([...reader.read(bytes.subarray(0, 1)), ...reader.read(bytes.subarray(1))]).toEqual(["é"]);
  });

  const target = (id: string, runs = true) => ({ id, name: id, runs });
  const shown: Shown = { targets: [target("a"), target("b"), target("c", false)], page: 2, lines: 10 };
  const after = (keys: readonly string[], from: Partial<TopState> = { selected: "a" }) =>
    keys.reduce((outcome, key) => press(outcome.state, key, shown), press({ ...INITIAL, ...from }, "", shown));

  test("moving stays within the list", () => {
    expect(after(["j", "down", "down", "j"]).state.selected).toBe("c");
    expect(after(["G", "up"]).state.selected).toBe("b");
    expect(after(["k", "home"]).state.selected).toBe("a");
  });

  test("nothing is stopped without a yes", () => {
    const asked = after(["s"]);
    expect(asked).toMatchObject({ state: { question: { act: "stop", target: { id: "a" } } } });
    expect(asked.effect).toBeUndefined();
    for (const no of ["n", "enter", "escape", "q", "j"]) {
      expect(after(["s", no]).effect).toBeUndefined();
      expect(after(["s", no]).state.question).toBeUndefined();
    }
    expect(after(["s", "y"]).effect).toEqual({ kind: "act", act: "stop", target: target("a") });
    expect(after(["x", "Y"]).effect).toMatchObject({ act: "kill" });
    expect(after(["r", "y"]).effect).toMatchObject({ act: "restart" });
  });

  test("what does not run is started, and has no shell", () => {
    expect(after(["s"], { selected: "c" }).effect).toMatchObject({ act: "start" });
    expect(after(["x"], { selected: "c" }).state.notice?.bad).toBe(true);
    expect(after(["e"], { selected: "c" }).effect).toBeUndefined();
    expect(after(["e"]).effect).toMatchObject({ kind: "shell" });
  });

  test("letters typed into the filter are no commands", () => {
    const typed = after(["/", "q", "x", "s", "backspace"]);
    expect(typed.state).toMatchObject({ filter: "qx", typing: true });
    expect(typed.effect).toBeUndefined();
    expect(after(["/", "q", "enter"]).state).toMatchObject({ filter: "q", typing: false });
    expect(after(["/", "q", "escape"]).state).toMatchObject({ filter: "", typing: false });
    expect(after(["/", "q", "ctrl-c"]).effect).toEqual({ kind: "quit" });
  });

  test("in the log: scrolling has ends, q leads back", () => {
    expect(after(["enter", "k", "pageup"]).state).toMatchObject({ view: "logs", scroll: 3 });
    expect(after(["enter", "g"]).state.scroll).toBe(8);
    expect(after(["enter", "g", "G"]).state.scroll).toBe(0);
    expect(after(["enter", "q"])).toMatchObject({ state: { view: "table" } });
    expect(after(["enter", "q"]).effect ?? after(["?", "q"]).effect).toBeUndefined();
    expect(after(["?", "q"]).state.view).toBe("table");
  });

  test("orders", () => {
    expect(after(["m"]).state).toMatchObject({ sort: "memory", reversed: false });
    expect(after(["m", "m"]).state.reversed).toBe(true);
    expect(after(["right"]).state.sort).toBe("memory");
    expect(after(["left", "left", "left"]).state.sort).toBe("up");
  });
});

describe("what containers write", () => {
  test("cannot reach the terminal but as text", () => {
    expect(plain("\x1b[31mred\x1b[0m \x1b]0;title\x07x\x1b[2J\x1bcok\x07\x9b31m")).toBe("red xok31m");
    expect(plain("10%\r20%\r")).toBe("20%");
    expect(plain("a\tb")).toBe("a       b");
  });

  test("comes in pieces, and only its end is kept", () => {
    const text = new LogText();
    text.push(Buffer.from("one\ntw"));
    expect(text.take()).toEqual(["one", "tw"]);
    text.push(Buffer.from(`o\n${"x\n".repeat(5000)}`));
    expect(text.added).toBe(5002);
    expect(text.take().length).toBe(2000);
  });
});

describe("frame", () => {
  const scene = (from: Board, state: Partial<TopState> = {}, more: Partial<Scene> = {}): Scene => {
    const whole = { ...INITIAL, ...state };
    const rows = arrange(from.meters(), whole);
    const still = { log: [], trouble: undefined, glyphs: UTF8, coloured: true, now: 90_000 };
    return { state: whole, board: from, rows, ...still, ...more };
  };
  const many = Array.from({ length: 40 }, (_, at) => reading(`name-${at}`, 1000, at % 2 ? project("a project") : {}));
  const busy = board(look(0), look(1000, ...many, reading("日本語のなまえ".repeat(6), 1000)));
  const text = (lines: readonly string[]) =>
    // biome-ignore lint/suspicious/noControlCharactersInRegex: styles are taken away
    lines.map((line) => line.replace(/\x1b\[[\d;]*m/g, ""));

  test("every line is exactly as wide as the screen, at any size, in every view", () => {
    const log = ["x".repeat(300), "日".repeat(200), "", "end"];
    for (const columns of [40, 47, 61, 80, 81, 100, 133, 250])
      for (const rows of [8, 13, 14, 24, 60])
        for (const state of [
          {},
          { view: "logs" },
          { view: "help" },
          { filter: "zz" },
          { typing: true, filter: "na" },
        ] as const) {
          const lines = text(frame(scene(busy, { selected: "name-3", ...state }, { log }), { columns, rows }));
          expect(lines.length).toBe(rows);
          for (const line of lines) expect(displayWidth(line)).toBe(columns);
        }
    expect(text(frame(scene(busy), { columns: 30, rows: 9 }))[0]).toContain("too small");
  });

  test("the selected row is always on the screen", () => {
    for (const rows of [9, 14, 24]) {
      for (const { id } of many) {
        const lines = frame(scene(busy, { selected: id }), { columns: 80, rows });
        expect(lines.filter((line) => line.startsWith("\x1b[7m")).length).toBe(1);
      }
    }
  });

  test("one screen says what runs, how it is and what it uses", () => {
    const before = look(0, reading("shop-db-1", 0), reading("solo", 0));
    const db = {
      ...project("shop"),
      health: "unhealthy",
      note: "health check: no answer",
      memory: 60 * MB,
      limit: 64 * MB,
    };
    const now = look(1000, reading("shop-db-1", 1000, { ...db, cpu: 250 }), reading("solo", 1000, { cpu: 40 }));
    const lines = text(
      frame(scene(board(before, now), { selected: "shop-db-1" }, { log: ["ready"] }), { columns: 100, rows: 16 }),
    );
    expect(lines.map((line) => line.trimEnd())).toEqual([
      " havre top  2 up  1 unhealthy         CPU          ▂ 29% of 200%  MEM 61.0M of 1.0G  NET 0 in 0 out",
      "  NAME             STATE       CPU %▼            HISTORY     MEM  LIMIT    IN/s   OUT/s    UP  PROCS",
      "● solo             up             4.0                  ▄    1.0M      -       0       0    1m      1",
      "shop               1/1 up        25.0                      60.0M              0       0            1",
      "  ✖ db-1           unhealthy     25.0                  █   60.0M  64.0M       0       0    1m      1",
      `── shop-db-1 · bb · health check: no answer ${"─".repeat(56)}`,
      "ready",
      ...Array<string>(8).fill(""),
      " ? help  q quit  ↵ logs  e shell  / filter  a all  ←→ sort  r restart  s stop  x kill  space pause",
    ]);
  });

  test("without colours, and without signs beyond ASCII", () => {
    const ascii = glyphsFor({ LANG: "C", TERM: "xterm" });
    const lines = frame(scene(busy, { selected: "name-3" }, { glyphs: ascii, coloured: false, log: [] }), {
      columns: 80,
      rows: 24,
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: styles are looked for
    expect(lines.join("")).not.toMatch(/\x1b\[[\d;]*3\dm/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
    expect(text(lines.filter((line) => !line.includes("日"))).join("")).toMatch(/^[\x00-\x7f]*$/);
  });

  test("trouble is told, and an engine without containers says what to do", () => {
    expect(text(frame(scene(busy, {}, { trouble: "The engine went away" }), { columns: 80, rows: 24 }))[0]).toContain(
      "went away",
    );
    const idle = { ...look(0), stopped: 2 };
    const lines = text(frame(scene(board(idle)), { columns: 80, rows: 24 })).join("\n");
    expect(lines).toContain("No container runs");
    expect(lines).toContain("a: show the 2 that are stopped");
  });
});

test("bars and numbers fit their columns", () => {
  expect(sparkline([0, 50, 100, 200], 6, 100, UTF8)).toBe("  ▁▅██");
  expect([0, 999, 1023, 1024 * 1.5, 123 * MB, 1023.9 * MB].map(size)).toEqual([
    "0",
    "999",
    "1.0K",
    "1.5K",
    "123M",
    "1.0G",
  ]);
  expect([0, 999, 1500, 12_345_678].map(rate)).toEqual(["0", "999", "1.5k", "12.3M"]);
  expect([0, 59_999, 60_000, 7_200_000, 3 * 86_400_000].map(age)).toEqual(["0s", "59s", "1m", "2h", "3d"]);
});
