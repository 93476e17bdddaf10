import { SORTS, type Sort } from "./rows.ts";

/** What can be done to a container. */
export type Act = "restart" | "stop" | "start" | "kill";

export interface Target {
  readonly id: string;
  readonly name: string;
  readonly runs: boolean;
}

/** What the user has chosen to see. */
export interface TopState {
  readonly view: "table" | "logs" | "help";
  readonly sort: Sort;
  readonly reversed: boolean;
  readonly grouped: boolean;
  /** Those that do not run, too. */
  readonly all: boolean;
  readonly paused: boolean;
  readonly selected: string | undefined;
  readonly filter: string;
  /** Words that shown log lines have to hold. */
  readonly search: string;
  /** A filter is being typed. */
  readonly typing: boolean;
  readonly question: { readonly act: Act; readonly target: Target } | undefined;
  readonly notice: { readonly text: string; readonly bad: boolean } | undefined;
  /** Lines below the last one shown, in the view of logs. */
  readonly scroll: number;
}

export const INITIAL: TopState = {
  view: "table",
  sort: "cpu",
  reversed: false,
  grouped: true,
  all: false,
  paused: false,
  selected: undefined,
  filter: "",
  search: "",
  typing: false,
  question: undefined,
  notice: undefined,
  scroll: 0,
};

export type Effect =
  | { readonly kind: "quit" | "redraw" | "suspend" }
  | { readonly kind: "act"; readonly act: Act; readonly target: Target }
  | { readonly kind: "shell"; readonly target: Target };

/** What stands on the screen when a key is pressed. */
export interface Shown {
  /** In the order of their rows. */
  readonly targets: readonly Target[];
  /** Rows, or lines of logs, that fit at once. */
  readonly page: number;
  /** Lines of logs that are known. */
  readonly lines: number;
}

export interface Outcome {
  readonly state: TopState;
  readonly effect?: Effect;
}

/** What a key does. */
export function press(state: TopState, key: string, shown: Shown): Outcome {
  if (key === "ctrl-c") return { state, effect: { kind: "quit" } };
  if (key === "ctrl-l") return { state, effect: { kind: "redraw" } };
  if (key === "ctrl-z") return { state, effect: { kind: "suspend" } };
  if (state.question) return answer(state, state.question, key);
  if (state.typing) return { state: type(state, key) };
  if (state.view === "help") return { state: { ...state, view: "table" } };
  const calm = { ...state, notice: undefined };
  return state.view === "logs" ? { state: pressInLogs(calm, key, shown) } : pressInTable(calm, key, shown);
}

function answer(state: TopState, { act, target }: NonNullable<TopState["question"]>, key: string): Outcome {
  const answered = { ...state, question: undefined };
  if (key !== "y" && key !== "Y") return { state: answered };
  return { state: answered, effect: { kind: "act", act, target } };
}

function type(state: TopState, key: string): TopState {
  const field = state.view === "logs" ? "search" : "filter";
  if (key === "enter") return { ...state, typing: false };
  if (key === "escape") return { ...state, typing: false, [field]: "" };
  if (key === "backspace") return { ...state, [field]: [...state[field]].slice(0, -1).join("") };
  if (key === "ctrl-u") return { ...state, [field]: "" };
  return [...key].length === 1 ? { ...state, scroll: 0, [field]: state[field] + key } : state;
}

const BY_LETTER: Readonly<Record<string, Sort>> = { c: "cpu", m: "memory", n: "traffic" };
const ACTS: Readonly<Record<string, Act>> = { r: "restart", s: "stop", x: "kill" };

function pressInTable(state: TopState, key: string, shown: Shown): Outcome {
  const target = shown.targets.find(({ id }) => id === state.selected);
  const moved = move(key, shown.page);
  if (moved !== undefined) return { state: select(state, moved, shown.targets) };
  const sort = BY_LETTER[key];
  if (sort) return { state: { ...state, sort, reversed: state.sort === sort && !state.reversed } };
  const act = ACTS[key];
  if (act && target) return ask(state, act, target);
  switch (key) {
    case "q":
      return { state, effect: { kind: "quit" } };
    case "left":
    case "<":
      return { state: otherSort(state, -1) };
    case "right":
    case ">":
      return { state: otherSort(state, 1) };
    case "i":
      return { state: { ...state, reversed: !state.reversed } };
    case "t":
      return { state: { ...state, grouped: !state.grouped } };
    case "a":
      return { state: { ...state, all: !state.all } };
    case " ":
      return { state: { ...state, paused: !state.paused } };
    case "/":
      return { state: { ...state, typing: true } };
    case "escape":
      return { state: { ...state, filter: "" } };
    case "?":
    case "h":
      return { state: { ...state, view: "help" } };
    case "enter":
      return { state: target ? { ...state, view: "logs", scroll: 0, search: "" } : state };
    case "e":
      return target ? shell(state, target) : { state };
    default:
      return { state };
  }
}

function pressInLogs(state: TopState, key: string, { page, lines }: Shown): TopState {
  const moved = move(key, page);
  if (moved !== undefined) {
    const limit = Math.max(0, lines - page);
    return { ...state, scroll: Math.min(limit, Math.max(0, state.scroll - moved)) };
  }
  if (key === "/") return { ...state, typing: true };
  if (key === "escape" && state.search !== "") return { ...state, search: "" };
  return key === "escape" || key === "q" || key === "enter" ? { ...state, view: "table", search: "" } : state;
}

/** Rows down; undefined for a key that does not move. */
function move(key: string, page: number): number | undefined {
  const far = Number.MAX_SAFE_INTEGER;
  const moves: Readonly<Record<string, number>> = {
    up: -1,
    k: -1,
    down: 1,
    j: 1,
    pageup: -page,
    "ctrl-b": -page,
    pagedown: page,
    "ctrl-f": page,
    home: -far,
    g: -far,
    end: far,
    G: far,
  };
  return Object.hasOwn(moves, key) ? moves[key] : undefined;
}

function select(state: TopState, by: number, targets: readonly Target[]): TopState {
  const now = targets.findIndex(({ id }) => id === state.selected);
  const next = targets[Math.min(targets.length - 1, Math.max(0, now + by))];
  return next ? { ...state, selected: next.id } : state;
}

function otherSort(state: TopState, by: number): TopState {
  const next = SORTS[(SORTS.indexOf(state.sort) + by + SORTS.length) % SORTS.length] ?? "cpu";
  return { ...state, sort: next, reversed: false };
}

function ask(state: TopState, act: Act, target: Target): Outcome {
  if (target.runs) return { state: { ...state, question: { act, target } } };
  // Starting loses nothing: no question.
  if (act !== "kill") return { state, effect: { kind: "act", act: "start", target } };
  return { state: { ...state, notice: { text: `${target.name} does not run`, bad: true } } };
}

function shell(state: TopState, target: Target): Outcome {
  if (target.runs) return { state, effect: { kind: "shell", target } };
  return { state: { ...state, notice: { text: `${target.name} does not run: no shell in it`, bad: true } } };
}
