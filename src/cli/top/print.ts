import type { Client } from "../../client/mod.ts";
import { layOut } from "../output/columns.ts";
import { printJson } from "../output/format.ts";
import type { Output } from "../output/output.ts";
import { Board, type Meter } from "./board.ts";
import { looks } from "./looks.ts";
import { arrange, condition, projectOf } from "./rows.ts";
import { INITIAL } from "./state.ts";
import { age, rate, size } from "./units.ts";

const TITLES = ["PROJECT", "NAME", "STATE", "CPU %", "MEM", "LIMIT", "IN/s", "OUT/s", "UP", "PROCS"];

/** What the view would show, once: a table, or JSON for programs. Takes the moment that rates need. */
export async function printLooks(client: Client, out: Output, form: { all: boolean; json: boolean }): Promise<void> {
  const board = new Board();
  const enough = new AbortController();
  let seen = 0;
  for await (const look of looks(client, form.all, enough.signal)) {
    board.take(look);
    if (++seen === 2) break;
  }
  enough.abort();
  const order = form.json ? ("name" as const) : ("cpu" as const);
  const rows = arrange(board.meters(), { ...INITIAL, sort: order });
  const meters = rows.flatMap((row) => (row.kind === "container" ? [row.meter] : []));
  const now = board.look?.at ?? 0;
  if (form.json) printJson(out, meters.map(jsonOf));
  else
    out.write(
      layOut(
        `${[TITLES, ...meters.map((meter) => cellsOf(meter, now))].map((cells) => cells.join("\t")).join("\n")}\n`,
      ),
    );
}

function cellsOf(meter: Meter, now: number): string[] {
  const { name, usage, startedAt } = meter.reading;
  const used = usage
    ? [
        meter.cpu.toFixed(1),
        size(usage.memory),
        usage.memoryLimit === undefined ? "-" : size(usage.memoryLimit),
        rate(meter.received),
        rate(meter.sent),
        startedAt === undefined ? "-" : age(now - startedAt),
        String(usage.processes),
      ]
    : Array<string>(7).fill("-");
  return [projectOf(meter) || "-", name, condition(meter), ...used];
}

function jsonOf({ reading, cpu, received, sent }: Meter): object {
  return { ...reading, perSecond: { cpuPercent: cpu, received, sent } };
}
