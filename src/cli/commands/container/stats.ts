import { isHavreError } from "../../../base/mod.ts";
import { type Client, readJsonLines } from "../../../client/mod.ts";
import { formatFlag, jsonFlag, noTruncFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { printJson, printList, renderList } from "../../output/format.ts";
import type { Output } from "../../output/output.ts";
import type { ContainerSummary } from "../../types.ts";
import { type StatsAnswer, statsRow } from "./stats-sample.ts";

const headings = {
  Container: "CONTAINER",
  Name: "NAME",
  ID: "CONTAINER ID",
  CPUPerc: "CPU %",
  MemUsage: "MEM USAGE / LIMIT",
  MemPerc: "MEM %",
  NetIO: "NET I/O",
  BlockIO: "BLOCK I/O",
  PIDs: "PIDS",
};
const TABLE =
  "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}";
const REFRESH_MS = 500;

export const command = defineCommand({
  usage: "[OPTIONS] [CONTAINER...]",
  summary: "Display a live stream of container(s) resource usage statistics",
  examples: [
    ["stats", "All that run, refreshed"],
    ["stats --no-stream --format '{{.Name}} {{.MemUsage}}' db", "Once"],
  ],
  flags: {
    all: toggle("Show all containers (default shows just running)", { short: "a" }),
    format: formatFlag,
    json: jsonFlag,
    "no-stream": toggle("Disable streaming stats and only pull the first result"),
    "no-trunc": noTruncFlag,
  },
  min: 0,
  async run({ context, flags, args }) {
    const client = await context.client();
    const once = flags["no-stream"] || flags.json;
    const board = new Board(client, once);
    if (args.length > 0) for (const name of args) board.watch(name);
    else {
      const running = await client.json<ContainerSummary[]>("GET", "/containers/json", {
        query: { all: flags.all || undefined },
      });
      for (const { Id } of running) board.watch(Id);
      if (!once) void followStarts(client, board, flags.all);
    }
    await board.firstSamples();
    const failure = board.failures[0];
    if (failure && (once || args.length > 0)) throw failure;
    const view = () => ({
      rows: board.names.map((name) => statsRow(name, board.sample(name), !flags["no-trunc"])),
      headings,
      typeName: "*container.statsContext",
      format: flags.format === "" || flags.format === "table" ? TABLE : flags.format,
    });
    if (flags.json)
      printJson(
        context.out,
        board.names.map((name) => board.sample(name) ?? null),
      );
    else if (once) await printList(context.out, view());
    else
      await refresh(
        context.out,
        (width) => renderList(view(), width),
        () => args.length > 0 && board.names.length === 0,
      );
    return 0;
  },
});

/** The latest sample of every container that is watched. */
class Board {
  readonly failures: Error[] = [];
  readonly #samples = new Map<string, StatsAnswer | undefined>();
  readonly #first: Promise<void>[] = [];

  constructor(
    readonly client: Client,
    readonly once: boolean,
  ) {}

  get names(): string[] {
    return [...this.#samples.keys()];
  }

  sample(name: string): StatsAnswer | undefined {
    return this.#samples.get(name);
  }

  watch(name: string): void {
    if (this.#samples.has(name)) return;
    this.#samples.set(name, undefined);
    const first = Promise.withResolvers<void>();
    this.#first.push(first.promise);
    void this.#follow(name, first.resolve).finally(first.resolve);
  }

  async firstSamples(): Promise<void> {
    await Promise.all(this.#first);
  }

  async #follow(name: string, onSample: () => void): Promise<void> {
    try {
      const answer = await this.client.request("GET", `/containers/${name}/stats`, { query: { stream: !this.once } });
      for await (const sample of readJsonLines<StatsAnswer>(answer.body)) {
        this.#samples.set(name, sample);
        onSample();
      }
      if (!this.once) this.#samples.delete(name);
    } catch (error) {
      if (!isHavreError(error)) throw error;
      this.failures.push(error);
      this.#samples.delete(name);
    }
  }
}

async function followStarts(client: Client, board: Board, all: boolean): Promise<void> {
  const event = all ? ["create", "start"] : ["start"];
  const filters = JSON.stringify({ type: ["container"], event });
  const answer = await client.request("GET", "/events", { query: { filters } });
  for await (const { Actor } of readJsonLines<{ Actor: { ID: string } }>(answer.body)) board.watch(Actor.ID);
}

/** Draws again and again over what it drew before, until done or interrupted. */
async function refresh(
  out: Output,
  draw: (width: number | undefined) => Promise<string>,
  done: () => boolean,
): Promise<void> {
  const size = out.isTerminal ? (await import("../../output/terminal.ts")).terminalSize : undefined;
  if (out.isTerminal) {
    out.write("\x1b[2J");
    process.once("SIGINT", () => process.exit(130));
  }
  while (!done()) {
    const text = await draw(size && (await size(1)).columns);
    // Each line is cleared to its end, and all below the last: no flicker.
    out.write(out.isTerminal ? `\x1b[H${text.replaceAll("\n", "\x1b[K\n")}\x1b[J` : text);
    await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
  }
}
