import { displayWidth } from "../output/width.ts";
import { STYLE } from "./line.ts";
import { paint, type Scene } from "./scene.ts";

const QUESTIONS = { restart: "Restart", stop: "Stop", start: "Start", kill: "Kill" };

/** The last line: what is asked, what happened, or what may be pressed. */
export function foot(scene: Scene, width: number): string {
  const { state, glyphs } = scene;
  const line = paint(scene, width).add(" ");
  const { question, notice, typing, view, filter, search } = state;
  if (question)
    return line
      .add(`${QUESTIONS[question.act]} ${question.target.name}?`, `${STYLE.bold};${STYLE.yellow}`)
      .add("  y: yes, any other key: no")
      .toString();
  const words = view === "logs" ? search : filter;
  if (typing)
    return line.add(`/${words}`, STYLE.bold).add("▏").add("  Enter keeps it, Esc drops it", STYLE.dim).toString();
  if (notice) return line.add(notice.text, notice.bad ? STYLE.red : STYLE.green).toString();
  if (words !== "") line.add(`/${words}`, STYLE.bold).add("  ").add("Esc ", STYLE.bold).add("all  ", STYLE.dim);
  const [vertical, horizontal] = glyphs.arrows;
  const keys: readonly (readonly [key: string, what: string])[] =
    view === "help"
      ? [["any key", "back"]]
      : view === "logs"
        ? [
            ["Esc", "back"],
            [vertical, "scroll"],
            ["/", "search"],
            ["g G", "first, last"],
            ["Ctrl-C", "quit"],
          ]
        : [
            ["?", "help"],
            ["q", "quit"],
            [glyphs.enter, "logs"],
            ["e", "shell"],
            ["/", "filter"],
            ["a", state.all ? "running only" : "all"],
            [horizontal, "sort"],
            ["r", "restart"],
            ["s", "stop"],
            ["x", "kill"],
            ["space", state.paused ? "go on" : "pause"],
            ["t", "projects"],
          ];
  for (const [key, what] of keys) {
    if (line.room < displayWidth(key) + what.length + 3) break;
    line.add(key, STYLE.bold).add(` ${what}  `, STYLE.dim);
  }
  if (view === "logs" && state.scroll > 0) line.add(`${state.scroll} lines below`, STYLE.yellow);
  return line.toString();
}
