import { displayWidth } from "../output/width.ts";
import type { PortSummary } from "../types.ts";
import { STYLE } from "./line.ts";
import { paint, type Scene } from "./scene.ts";

const ANY_ADDRESS = new Set(["0.0.0.0", "::"]);

/** What is published, in few words: `8080->80, 127.0.0.1:53->53/udp`. */
function portsText(ports: readonly PortSummary[]): string {
  const published = ports.flatMap(({ IP = "", PublicPort, PrivatePort, Type }) => {
    if (!PublicPort) return [];
    const address = IP === "" || ANY_ADDRESS.has(IP) ? "" : `${IP.includes(":") ? `[${IP}]` : IP}:`;
    return `${address}${PublicPort}->${PrivatePort}${Type === "tcp" ? "" : `/${Type}`}`;
  });
  return [...new Set(published)].join(", ");
}

/** What is told of the selected container, above its log. */
function panelTitle(scene: Scene, width: number): string {
  const meter = scene.board.meters().find(({ reading }) => reading.id === scene.state.selected);
  const { rule, separator } = scene.glyphs;
  const line = paint(scene, width).add(`${rule}${rule} `, STYLE.dim);
  if (meter) {
    const { name, image, ports, restarts, note } = meter.reading;
    line.add(name, STYLE.bold);
    const parts = [image, portsText(ports), restarts > 0 ? `restarted ${restarts} times` : ""].filter(Boolean);
    for (const part of parts) line.add(` ${separator} `, STYLE.dim).add(part, STYLE.dim);
    if (note) line.add(` ${separator} `, STYLE.dim).add(note, STYLE.red);
    line.add(" ");
  }
  return line.add(rule.repeat(Math.max(0, line.room)), STYLE.dim).toString();
}

/** The end of the selected container's log, long lines cut. */
export function panelLines(scene: Scene, width: number, height: number): string[] {
  const log = scene.log.slice(1 - height);
  const lines = log.length > 0 ? log : scene.state.selected === undefined ? [] : ["Nothing logged"];
  const style = log.length > 0 ? "" : STYLE.dim;
  return [panelTitle(scene, width), ...lines.map((text) => paint(scene, width).add(text, style).toString())];
}

/** The log alone, long lines on several rows. */
export function logLines(scene: Scene, width: number, body: number): string[] {
  const { log, state } = scene;
  const end = log.length - state.scroll;
  const rows: string[] = [];
  for (let at = end - 1; at >= 0 && rows.length < body - 1; at--) rows.unshift(...wrap(log[at] ?? "", width));
  const shown = rows.slice(-(body - 1));
  const lines = shown.length > 0 ? shown : [state.search === "" ? "Nothing logged" : `Nothing with "${state.search}"`];
  return [panelTitle(scene, width), ...lines.map((text) => paint(scene, width).add(text).toString())];
}

function wrap(text: string, width: number): string[] {
  const rows: string[] = [];
  let row = "";
  let used = 0;
  for (const sign of text) {
    const wide = displayWidth(sign);
    if (used + wide > width) {
      rows.push(row);
      row = "";
      used = 0;
    }
    row += sign;
    used += wide;
  }
  return [...rows, row];
}
