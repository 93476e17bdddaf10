import { spawn } from "node:child_process";
import { constants } from "node:os";
import { HavreError, isHavreError, toHavreError } from "../../base/mod.ts";
import type { Client } from "../../client/mod.ts";
import type { Context } from "../context.ts";
import { ownCommand } from "../daemon/start.ts";
import { isTerminal } from "../output/output.ts";
import { stdinChunks } from "../streams/input.ts";
import { Board } from "./board.ts";
import { frame, pageSize } from "./frame.ts";
import { glyphsFor } from "./glyphs.ts";
import { KeyReader } from "./keys.ts";
import { LogTail } from "./log-tail.ts";
import { looks } from "./looks.ts";
import { arrange, type Row } from "./rows.ts";
import type { Scene } from "./scene.ts";
import { Screen } from "./screen.ts";
import { type Act, type Effect, INITIAL, press, type Shown, type Target, type TopState } from "./state.ts";

/** Frames are no closer together than this, unless a key was pressed. */
const FRAME_MS = 80;
const RETRY_MS = 1000;
const NOTICE_MS = 6000;

/** Shows an engine until the user has seen enough. `failed-precondition` without a terminal to draw on. */
export async function runTop(context: Context, all: boolean): Promise<number> {
  if (!context.out.isTerminal || !isTerminal(0) || context.env.TERM === "dumb")
    throw new HavreError("failed-precondition", "havre top draws on a terminal, and there is none", {
      hint: "havre top --once prints what runs as a table, havre top --json as JSON; havre top CONTAINER its processes",
    });
  const client = await context.client();
  const screen = new Screen(context);
  using _restored = restoreAlways(screen, context);
  await screen.enter();
  return await new Session(context, client, screen, { ...INITIAL, all }).run();
}

/** Whatever way the program ends, the shell gets its terminal back. */
function restoreAlways(screen: Screen, { err }: Context): Disposable {
  const leave = () => screen.leave();
  const crash = (error: unknown) => {
    leave();
    err.line(`havre: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exit(1);
  };
  const signals = (["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const).map((name) => {
    const handler = () => {
      leave();
      process.exit(128 + constants.signals[name]);
    };
    process.on(name, handler);
    return [name, handler] as const;
  });
  process.on("exit", leave);
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
  return {
    [Symbol.dispose]: () => {
      leave();
      for (const [name, handler] of signals) process.off(name, handler);
      process.off("exit", leave);
      process.off("uncaughtException", crash);
      process.off("unhandledRejection", crash);
    },
  };
}

class Session {
  readonly #board = new Board();
  readonly #keys = new KeyReader();
  readonly #log: LogTail;
  readonly #glyphs;
  readonly #coloured: boolean;
  #state: TopState;
  #trouble: string | undefined;
  #held: readonly string[] | undefined;
  #watching = new AbortController();
  #frameDue: ReturnType<typeof setTimeout> | undefined;
  #noticeEnds: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly context: Context,
    readonly client: Client,
    readonly screen: Screen,
    state: TopState,
  ) {
    this.#state = state;
    this.#glyphs = glyphsFor(context.env);
    this.#coloured = !context.env.NO_COLOR;
    this.#log = new LogTail(client, () => this.#drawSoon());
  }

  async run(): Promise<number> {
    const onResize = () => void this.screen.measure().then(() => this.#draw());
    process.on("SIGWINCH", onResize);
    try {
      this.#watch();
      this.#draw();
      // Keys are read one piece at a time: a shell that is given the terminal meanwhile gets all that is typed.
      for await (const chunk of stdinChunks()) {
        for (const key of this.#keys.read(chunk)) if ((await this.#press(key)) === "quit") return 0;
        this.#draw();
      }
      return 0;
    } finally {
      process.off("SIGWINCH", onResize);
      this.#watching.abort();
      this.#log[Symbol.dispose]();
      clearTimeout(this.#frameDue);
      clearTimeout(this.#noticeEnds);
    }
  }

  /** Looks at the engine, and goes on when it comes back after it went away. */
  #watch(): void {
    this.#watching.abort();
    this.#watching = new AbortController();
    void this.#look(this.#watching.signal);
  }

  async #look(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const look of looks(this.client, this.#state.all, signal)) {
          if (signal.aborted) return;
          this.#trouble = undefined;
          if (!this.#state.paused) this.#board.take(look);
          this.#drawSoon();
        }
        this.#trouble = "The engine went away: waiting for it";
      } catch (error) {
        if (signal.aborted) return;
        if (!isHavreError(error)) throw error;
        this.#trouble =
          error.kind === "unavailable" ? "The engine does not answer: waiting for it" : toHavreError(error).message;
      }
      this.#drawSoon();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  async #press(key: string): Promise<"quit" | undefined> {
    const { all } = this.#state;
    const { state, effect } = press(this.#state, key, this.#shown());
    this.#state = state;
    if (state.all !== all) this.#watch();
    return effect && (await this.#do(effect));
  }

  async #do(effect: Effect): Promise<"quit" | undefined> {
    switch (effect.kind) {
      case "quit":
        return "quit";
      case "redraw":
        await this.screen.measure();
        return;
      case "suspend":
        this.screen.leave();
        process.kill(0, "SIGTSTP");
        await this.screen.enter();
        return;
      case "act":
        void this.#act(effect.act, effect.target);
        return;
      case "shell":
        await this.#shell(effect.target);
        return;
    }
  }

  async #act(act: Act, { id, name }: Target): Promise<void> {
    const [doing, done] = WORDS[act];
    this.#say(`${doing} ${name}`, false);
    try {
      await this.client.run("POST", `/containers/${id}/${act}`, { accept: ["not-modified"] });
      this.#say(`${name} ${done}`, false);
    } catch (error) {
      this.#say(toHavreError(error).message, true);
    }
  }

  /** The terminal is the shell's until it ends. */
  async #shell({ id, name }: Target): Promise<void> {
    this.screen.leave();
    const { err, places } = this.context;
    err.line(`A shell in ${name}; exit or Ctrl-D comes back to havre top`);
    const [program = "", ...before] = ownCommand();
    const where = places.host === undefined ? ["--root", places.root, "--run", places.run] : ["-H", places.host];
    const best = "command -v bash >/dev/null 2>&1 && exec bash; exec sh";
    const child = spawn(program, [...before, ...where, "exec", "-it", id, "sh", "-c", best], { stdio: "inherit" });
    const code = await new Promise<number>((resolve) => {
      child.on("error", () => resolve(-1));
      child.on("exit", (status) => resolve(status ?? -1));
    });
    await this.screen.enter();
    if (code === 126 || code === 127) this.#say(`${name} has no shell that could be started`, true);
  }

  #say(text: string, bad: boolean): void {
    const notice = { text, bad };
    this.#state = { ...this.#state, notice };
    clearTimeout(this.#noticeEnds);
    this.#noticeEnds = setTimeout(() => {
      if (this.#state.notice === notice) this.#state = { ...this.#state, notice: undefined };
      this.#drawSoon();
    }, NOTICE_MS);
    this.#drawSoon();
  }

  #rows(): Row[] {
    return arrange(this.#board.meters(), this.#state);
  }

  #shown(): Shown {
    const rows = this.#rows();
    const page = pageSize({ state: this.#state, rows }, this.screen.size);
    return { targets: targetsOf(rows), page, lines: this.#lines().length };
  }

  /** The log as it is shown: what one has scrolled up to stays where it is. */
  #lines(): readonly string[] {
    const { scroll, search, view } = this.#state;
    this.#held = view === "logs" && scroll > 0 ? (this.#held ?? this.#log.lines) : undefined;
    const lines = this.#held ?? this.#log.lines;
    const wanted = search.toLowerCase();
    return view !== "logs" || wanted === "" ? lines : lines.filter((line) => line.toLowerCase().includes(wanted));
  }

  #drawSoon(): void {
    this.#frameDue ??= setTimeout(() => this.#draw(), FRAME_MS);
  }

  #draw(): void {
    clearTimeout(this.#frameDue);
    this.#frameDue = undefined;
    const rows = this.#rows();
    this.#keepSelection(rows);
    const scene: Scene = {
      state: this.#state,
      board: this.#board,
      rows,
      log: this.#lines(),
      trouble: this.#trouble,
      glyphs: this.#glyphs,
      coloured: this.#coloured,
      now: Date.now(),
    };
    this.screen.draw(frame(scene, this.screen.size));
  }

  /** Something is selected as long as there is something; its log is followed. */
  #keepSelection(rows: readonly Row[]): void {
    const targets = targetsOf(rows);
    if (this.#state.view !== "logs" && !targets.some(({ id }) => id === this.#state.selected))
      this.#state = { ...this.#state, selected: targets[0]?.id };
    const { selected } = this.#state;
    const reading = this.#board.look?.containers.find(({ id }) => id === selected);
    this.#log.follow(selected, String(reading?.usage ? reading.startedAt : ""));
  }
}

const WORDS: Readonly<Record<Act, readonly [doing: string, done: string]>> = {
  restart: ["Restarting", "was restarted"],
  stop: ["Stopping", "was stopped"],
  start: ["Starting", "was started"],
  kill: ["Killing", "was killed"],
};

function targetsOf(rows: readonly Row[]): Target[] {
  return rows.flatMap((row) => {
    if (row.kind === "project") return [];
    const { id, name, usage, state } = row.meter.reading;
    return [{ id, name, runs: usage !== undefined || state === "restarting" }];
  });
}
