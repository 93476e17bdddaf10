import { HavreError } from "../../../base/mod.ts";
import { jsonFlag } from "../../args/common.ts";
import { list, text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";
import type { Output } from "../../output/output.ts";
import { type AuditFinding, sarif } from "./audit-sarif.ts";

const WEIGHTS = ["low", "medium", "high"] as const;
/** Something is not kept; 1 is for errors. */
const EXIT_NOT_KEPT = 2;

export const command = defineCommand({
  usage: "[OPTIONS] [CONTAINER...]",
  summary: "Look at containers, images and the host by the ten practices of container security",
  detail: `Without names: the host, every container, and every image that a container uses. Each line says what is not kept, what
follows from it, and the command that mends it; with --all also what is kept. Numbers are those of the CIS Docker Benchmark 1.6.0.

Exit code 2 when something of the weight of --fail-on or more is not kept, 1 for errors.`,
  examples: [
    ["audit", "The host, all containers, their images"],
    ["audit web", "One container"],
    ["audit --image shop-web:latest", "One image"],
    ["audit --sarif > havre.sarif", "For a code scanning service"],
    ["audit --fail-on medium --json", "In a pipeline"],
  ],
  flags: {
    all: toggle("Show what is kept too", { short: "a" }),
    "fail-on": text("Weight that gives exit code 2: low, medium, high or never", { initial: "high" }),
    host: toggle("Look at the host"),
    image: list("Look at this image"),
    json: jsonFlag,
    sarif: toggle("Print SARIF 2.1.0"),
  },
  min: 0,
  async run({ context, flags, args }) {
    const failing = weightsFrom(flags["fail-on"]);
    const client = await context.client();
    const findings = await client.json<AuditFinding[]>("GET", "/havre/v1/audit", {
      query: { container: args, image: flags.image, ...(flags.host ? { host: "1" } : {}) },
    });
    const faults = findings.filter(({ kept }) => !kept);
    if (flags.sarif) printJson(context.out, sarif(findings));
    else if (flags.json) printJson(context.out, findings);
    else show(context.out, flags.all ? findings : faults, findings);
    return faults.some(({ weight }) => failing.has(weight)) ? EXIT_NOT_KEPT : 0;
  },
});

/** The weights that fail. */
function weightsFrom(word: string): ReadonlySet<string> {
  if (word === "never") return new Set();
  const at = (WEIGHTS as readonly string[]).indexOf(word);
  if (at < 0)
    throw new HavreError("invalid-argument", `--fail-on ${word} is no weight`, {
      hint: "Give low, medium, high or never",
    });
  return new Set(WEIGHTS.slice(at));
}

const COLOUR = { high: "\x1b[31m", medium: "\x1b[33m", low: "\x1b[2m" } as const;

function show(out: Output, shown: readonly AuditFinding[], all: readonly AuditFinding[]): void {
  const paint = (colour: string, words: string): string => (out.isTerminal ? `${colour}${words}\x1b[0m` : words);
  const subjects = Map.groupBy(all, ({ subject }) => `${subject.kind} ${subject.name}`);
  for (const [title, findings] of subjects) {
    const kept = findings.filter((finding) => finding.kept).length;
    out.line(`${paint("\x1b[1m", title)}: ${kept} of ${findings.length} kept`);
    for (const finding of shown.filter((one) => findings.includes(one)).sort(byWeight)) {
      const { practice, found, why, remedy, cis, weight } = finding;
      const mark = finding.kept ? paint("\x1b[32m", "ok    ") : paint(COLOUR[weight], weight.padEnd(6));
      const numbers = cis.length > 0 ? paint("\x1b[2m", `  (CIS ${cis.join(", ")})`) : "";
      out.line(`  ${mark}  ${practice}: ${found}${numbers}`);
      if (finding.kept) continue;
      out.line(`          ${why}`);
      if (remedy !== undefined) out.line(`          → ${remedy}`);
    }
    out.line("");
  }
  const faults = all.filter(({ kept }) => !kept);
  const counts = [...WEIGHTS]
    .reverse()
    .map((weight) => `${faults.filter((finding) => finding.weight === weight).length} ${weight}`);
  out.line(`${all.length} checks, ${faults.length} not kept: ${counts.join(", ")}`);
}

function byWeight(one: AuditFinding, other: AuditFinding): number {
  return Number(one.kept) - Number(other.kept) || WEIGHTS.indexOf(other.weight) - WEIGHTS.indexOf(one.weight);
}
