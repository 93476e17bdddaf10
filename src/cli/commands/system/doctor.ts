import { jsonFlag } from "../../args/common.ts";
import { text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import type { HostCheck } from "../../context.ts";
import { printJson } from "../../output/format.ts";
import type { Output } from "../../output/output.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Check what this host has and lacks for running containers",
  detail:
    "Each line says what was found, what follows from it, and what to do. Exit code 1 when containers cannot run.",
  examples: [["doctor", "Before the first start, or when something is odd"]],
  flags: { bridge: text("Name of the default bridge, for advice on firewalls"), json: jsonFlag },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const { root } = context.places;
    const checks = await context.diagnose({ root, ...(flags.bridge ? { bridge: flags.bridge } : {}) });
    const failed = checks.filter(({ status }) => status === "fail").length;
    if (flags.json) {
      printJson(context.out, checks);
      return failed > 0 ? 1 : 0;
    }
    for (const check of checks) show(context.out, check);
    const weak = checks.filter(({ status }) => status === "warn").length;
    const verdict = failed > 0 ? `${failed} that must be mended first` : "containers can run here";
    context.out.line(`\n${checks.length} checks: ${verdict}${weak > 0 ? `, ${weak} worth knowing` : ""}`);
    return failed > 0 ? 1 : 0;
  },
});

const MARK = { ok: ["ok  ", "\x1b[32m"], warn: ["note", "\x1b[33m"], fail: ["FAIL", "\x1b[31m"] } as const;

function show(out: Output, { status, name, found, consequence, remedy }: HostCheck): void {
  const [mark, colour] = MARK[status];
  out.line(`${out.isTerminal ? `${colour}${mark}\x1b[0m` : mark}  ${name}: ${found}`);
  if (consequence !== undefined) out.line(`      ${consequence}`);
  if (remedy !== undefined) out.line(`      → ${remedy}`);
}
