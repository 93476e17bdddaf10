import { jsonFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";
import type { Output } from "../../output/output.ts";
import { checkHost } from "./doctor/checks.ts";
import type { Finding } from "./doctor/finding.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Check what this host has and lacks for running containers",
  detail:
    "Each line says what was found, what follows from it, and what to do. Exit code 1 when containers cannot run.",
  examples: [["doctor", "Before the first start, or when something is odd"]],
  flags: { json: jsonFlag },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const findings = await checkHost(context.places);
    if (flags.json) printJson(context.out, findings);
    else for (const finding of findings) show(context.out, finding);
    const broken = findings.filter(({ level }) => level === "broken").length;
    const weak = findings.filter(({ level }) => level === "weak").length;
    if (!flags.json) {
      const verdict = broken > 0 ? `${broken} that must be mended first` : "containers can run here";
      context.out.line(`\n${findings.length} checks: ${verdict}${weak > 0 ? `, ${weak} worth knowing` : ""}`);
    }
    return broken > 0 ? 1 : 0;
  },
});

const MARK = { fine: ["ok  ", "\x1b[32m"], weak: ["note", "\x1b[33m"], broken: ["FAIL", "\x1b[31m"] } as const;

function show(out: Output, { level, what, found, consequence, remedy }: Finding): void {
  const [mark, colour] = MARK[level];
  out.line(`${out.isTerminal ? `${colour}${mark}\x1b[0m` : mark}  ${what}: ${found}`);
  if (consequence !== undefined) out.line(`      ${consequence}`);
  if (remedy !== undefined) out.line(`      → ${remedy}`);
}
