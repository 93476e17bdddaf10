import { jsonFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";
import type { Output } from "../../output/output.ts";

/** `GET /havre/v1/containers/NAME/why`. */
interface RefusalAnswer {
  readonly name: string;
  readonly profile: string;
  readonly state: string;
  readonly exitCode: number;
  readonly error: string;
  readonly refusals: readonly {
    readonly process?: string;
    readonly tried: string;
    readonly target?: string;
    readonly rule: string;
    readonly remedy: string;
    readonly evidence?: string;
  }[];
}

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "What a container was denied in its last run, by which rule, and what would allow it",
  detail: `Read from the container's own last lines, from how it ended, and from what it was granted. A program that hides what it was
refused leaves no trace here.`,
  examples: [["why web", "After it failed, or while it misbehaves"]],
  flags: { json: jsonFlag },
  min: 1,
  max: 1,
  async run({ context, flags, args: [name = ""] }) {
    const client = await context.client();
    const answer = await client.json<RefusalAnswer>("GET", `/havre/v1/containers/${encodeURIComponent(name)}/why`);
    if (flags.json) printJson(context.out, answer);
    else show(context.out, answer);
    return 0;
  },
});

function show(out: Output, { name, profile, state, exitCode, error, refusals }: RefusalAnswer): void {
  const bold = (text: string): string => (out.isTerminal ? `\x1b[1m${text}\x1b[0m` : text);
  const ended = state === "exited" ? ` with code ${exitCode}` : "";
  out.line(`${bold(name)} is ${state}${ended}, under the ${profile} profile`);
  if (error !== "") out.line(`It did not start: ${error}`);
  if (refusals.length === 0) {
    out.line(`No refusal is seen in its last lines; 'havre logs ${name}' shows all it said`);
    return;
  }
  for (const { process, tried, target, rule, remedy, evidence } of refusals) {
    out.line(`\n${process ?? "It"} ${tried}${target === undefined ? "" : `: ${target}`}`);
    out.line(`  denied by  ${rule}`);
    if (evidence !== undefined) out.line(`  it said    ${evidence}`);
    out.line(`  → ${remedy}`);
  }
}
