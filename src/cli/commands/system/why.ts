import { jsonFlag } from "../../args/common.ts";
import { toggle, value } from "../../args/flags.ts";
import { durationNanos } from "../../args/time.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";
import type { Output } from "../../output/output.ts";
import type { RefusalAnswer } from "../learn/answers.ts";
import { whyOfCopy } from "../learn/why-copy.ts";

const DEFAULT_FOR = 10e9;

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "What a container was denied in its last run, by which rule, and what would allow it",
  detail: `Read from the container's own last lines, from how it ended, and from what it was granted; of refused connections and names from the
rules that refused them. A program that hides what else it was refused leaves no trace here.`,
  examples: [["why web", "After it failed, or while it misbehaves"]],
  flags: {
    for: value("duration", "How long to run a copy at most (default 10s)", DEFAULT_FOR, durationNanos),
    json: jsonFlag,
    retry: toggle(
      "Run a copy once more, watched: the kernel tells what it was refused. It uses the same volumes, and publishes no ports",
    ),
  },
  min: 1,
  max: 1,
  async run({ context, flags, args: [name = ""] }) {
    const client = await context.client();
    const answer = flags.retry
      ? await whyOfCopy(client, name, flags.for / 1e6)
      : await client.json<RefusalAnswer>("GET", `/havre/v1/containers/${encodeURIComponent(name)}/why`);
    if (flags.json) printJson(context.out, answer);
    else show(context.out, answer);
    return 0;
  },
});

function show(out: Output, { name, profile, state, exitCode, error, observed, refusals }: RefusalAnswer): void {
  const bold = (text: string): string => (out.isTerminal ? `\x1b[1m${text}\x1b[0m` : text);
  const ended = state === "exited" ? ` with code ${exitCode}` : "";
  out.line(`${bold(name)} is ${state}${ended}, under the ${profile} profile`);
  if (error !== "") out.line(`It did not start: ${error}`);
  if (refusals.length === 0) {
    out.line(
      observed
        ? `The kernel refused it nothing; 'havre logs ${name}' shows all it said`
        : `No refusal is seen in its last lines; 'havre why --retry ${name}' runs a copy of it that is watched`,
    );
    return;
  }
  for (const { process, tried, target, rule, remedy, evidence, seen } of refusals) {
    out.line(`\n${process ?? "It"} ${tried}${target === undefined ? "" : `: ${target}`}`);
    out.line(`  denied by  ${rule}`);
    if (evidence !== undefined) out.line(`  ${seen === undefined ? "it said   " : "the kernel"} ${evidence}`);
    out.line(`  → ${remedy}`);
  }
}
