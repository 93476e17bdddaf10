import { STYLE } from "./line.ts";
import { paint, type Scene } from "./scene.ts";

const HELP: readonly (readonly [keys: string, what: string])[] = [
  ["up down PgUp PgDn, j k g G", "choose a container"],
  ["left right, < >", "order by another column"],
  ["c, m, n", "order by CPU, memory, network"],
  ["i", "turn the order round"],
  ["/", "filter by name, project, image or state"],
  ["a", "stopped ones, too"],
  ["t", "projects apart, or all in one list"],
  ["space", "hold still; go on"],
  ["Enter", "the log of the chosen one on the whole screen"],
  ["e", "a shell in it; leave that to come back"],
  ["r, s, x", "restart; stop or start; kill (asks first)"],
  ["Ctrl-Z, Ctrl-L", "suspend (fg comes back); draw anew"],
  ["q, Ctrl-C", "quit"],
];

const SIGNS: readonly (readonly [column: string, what: string])[] = [
  ["CPU %", "100 is one processor, as in docker stats"],
  ["HISTORY", "CPU, a bar a second, against the highest shown"],
  ["MEM, LIMIT", "without droppable cache; red from 90 %"],
  ["IN/s, OUT/s", "bytes per second on its network interfaces"],
];

export function helpLines(scene: Pick<Scene, "coloured">, width: number): string[] {
  const row = ([left, right]: readonly [string, string]) =>
    paint(scene, width).add("  ").add(left, STYLE.bold).to(31).add(right).toString();
  const blank = paint(scene, width).toString();
  return [blank, ...HELP.map(row), blank, ...SIGNS.map(row)];
}
