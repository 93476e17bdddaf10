import { jsonFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";

interface Figure {
  readonly latency: number;
  readonly throughput: number;
}
interface ModeFigures {
  readonly mode: "host" | "bridge" | "macvlan";
  readonly between?: Figure;
  readonly outside?: Figure;
  readonly problem?: string;
}

/** What each mode is for, beside its speed. */
const TRAITS: Readonly<Record<ModeFigures["mode"], readonly [isolation: string, ports: string]>> = {
  host: ["none", "all of the host's"],
  bridge: ["from host and networks", "those published"],
  macvlan: ["from the host", "all, at its own address"],
};

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Measure what each kind of network costs on this host, and say which fits",
  detail:
    "Latency and throughput of one TCP connection, in a laboratory of namespaces on this host; about ten seconds. Nothing is sent by the host's own interfaces.",
  examples: [
    ["network advise", "The figures, and what follows"],
    ["network advise --json", "For programs"],
  ],
  flags: { json: jsonFlag },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const client = await context.client();
    if (!flags.json && context.err.isTerminal) context.err.line("Measuring, about ten seconds …");
    const modes = await client.json<ModeFigures[]>("POST", "/havre/v1/network-advice");
    if (flags.json) printJson(context.out, modes);
    else for (const line of [...table(modes), "", ...advice(modes)]) context.out.line(line);
    return modes.some(({ problem }) => problem === undefined) ? 0 : 1;
  },
});

function table(modes: readonly ModeFigures[]): readonly string[] {
  const figure = (one: Figure | undefined) =>
    one ? `${(one.throughput / 1e9).toFixed(1)} Gbit/s, ${one.latency} µs` : "-";
  const rows = [
    ["NETWORK", "BETWEEN CONTAINERS", "FROM OUTSIDE", "ISOLATED", "PORTS"],
    ...modes.map(({ mode, between, outside }) => [mode, figure(between), figure(outside), ...TRAITS[mode]]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("   ")
      .trimEnd(),
  );
}

/** What the figures say, a sentence each. */
export function advice(modes: readonly ModeFigures[]): readonly string[] {
  const of = (mode: ModeFigures["mode"]) => modes.find((one) => one.mode === mode);
  const share = (mode: ModeFigures["mode"], what: "between" | "outside") => {
    const [own, best] = [of(mode)?.[what]?.throughput, of("host")?.[what]?.throughput];
    return own === undefined || best === undefined || best === 0 ? undefined : Math.round((100 * own) / best);
  };
  const lines: string[] = [];
  const bridge = share("bridge", "outside");
  if (bridge !== undefined) {
    lines.push(
      `bridge fits most: names, isolation, published ports, at ${bridge} % of the host's throughput from outside.`,
    );
    lines.push(
      bridge < 70
        ? "host is worth its lack of isolation for what must move much data to and from outside."
        : "host gains little here: take it only for programs that must see the host's own interfaces.",
    );
  }
  const macvlan = share("macvlan", "outside");
  if (macvlan !== undefined)
    lines.push(
      `macvlan, at ${macvlan} %, fits what must have an address of its own on the host's network; the host itself does not reach it.`,
    );
  for (const { mode, problem } of modes) if (problem !== undefined) lines.push(`${mode} was not measured: ${problem}`);
  lines.push("none fits what needs no network at all.");
  return lines;
}
