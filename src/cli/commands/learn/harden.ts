import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { HavreError } from "../../../base/mod.ts";
import type { Client } from "../../../client/mod.ts";
import { jsonFlag } from "../../args/common.ts";
import { list, toggle, value } from "../../args/flags.ts";
import { durationNanos } from "../../args/time.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";
import type { Output } from "../../output/output.ts";
import { evidenceLine, type Need, type RefusalAnswer, type RefusalLine } from "./answers.ts";
import { withTerms } from "./compose-file.ts";
import { grantsOf, removeCopy, startCopy } from "./copy.ts";
import { type Exercise, exercise, type Outcome } from "./exercise.ts";
import { findTarget, type Target } from "./target.ts";

/** `GET /havre/v1/containers/NAME/needs`. */
interface NeedsAnswer {
  readonly needs: readonly Need[];
  readonly seccomp?: object;
  readonly calls: Readonly<Record<string, number>>;
  readonly capabilities: boolean;
  readonly results: boolean;
}

/** What `--json` prints. */
interface Report {
  readonly observed: Outcome;
  readonly needs: readonly Need[];
  /** Granted before, and kept: their use cannot be seen. */
  readonly kept: readonly string[];
  readonly calls: Readonly<Record<string, number>>;
  readonly seccomp?: object;
  readonly locked?: Outcome;
  /** What the locked copy was refused. */
  readonly refused: readonly RefusalLine[];
}

const DEFAULT_FOR = 30e9;
const NANOSECONDS = 1e6;
const EXIT_NOT_PASSED = 2;
/** What the observed run may, so that all it does is seen: as much as Docker gives. */
const PERMISSIVE = [
  "write:/",
  "net-bind",
  "new-privileges",
  ...["chown", "dac_override", "fsetid", "fowner", "mknod", "net_raw", "setgid", "setuid", "setfcap", "setpcap"],
  ...["sys_chroot", "kill", "audit_write"],
].map((word) => (/^[a-z_]+$/.test(word) ? `cap:${word}` : word));
const LEARNED = /^(write|cap|egress):|^net-bind$/;

export const command = defineCommand({
  usage: "[OPTIONS] SERVICE|CONTAINER",
  summary: "Learn the least that a container needs to be granted, and show that it suffices",
  detail: `Runs a copy that is watched and may what Docker's containers may; waits until it is healthy, runs the tests in it, and stops it.
What it did gives the least set of grants, each with what shows that it is needed, and a system call filter narrowed to what was
called. A second copy under the hardened profile with just these then goes through the same exercise. The copies use the volumes
and host folders of the original, publish no ports, and are removed.

With --write the grants go into the Compose file of the service, and the filter into a file beside it.
Exit code 2 when an exercise does not pass, 1 for errors.`,
  examples: [
    ["harden web", "What web needs, until it is healthy"],
    ["harden --test 'wget -qO- localhost' --write web", "With a test, into the Compose file"],
  ],
  flags: {
    for: value(
      "duration",
      "How long to watch one without health check or tests, and to wait for health and tests (default 30s)",
      DEFAULT_FOR,
      durationNanos,
    ),
    json: jsonFlag,
    test: list("A command for the container's shell that must succeed; tried until it does"),
    write: toggle("Write the grants into the Compose file, or the filter beside this folder's other files"),
  },
  min: 1,
  max: 1,
  async run({ context, flags, args: [name = ""] }) {
    const client = await context.client();
    const target = await findTarget(client, name);
    const plan: Exercise = { tests: flags.test, patience: flags.for / NANOSECONDS };
    const tell = flags.json ? () => {} : (line: string) => context.out.line(line);
    const report = await harden(client, target, plan, tell);
    if (flags.json) printJson(context.out, report);
    else show(context.out, name, report);
    const passed = report.observed.passed && report.locked?.passed === true;
    if (flags.write && passed) write(context.out, name, target, report);
    else if (flags.write) context.err.line("Nothing was written: the exercise did not pass");
    return passed ? 0 : EXIT_NOT_PASSED;
  },
});

async function harden(client: Client, target: Target, plan: Exercise, tell: (line: string) => void): Promise<Report> {
  const { container } = target;
  const kept = grantsOf(container).filter((word) => !LEARNED.test(word));
  tell("Watching a copy that may what Docker's containers may …");
  const words = await client.json<{ word: string }[]>("GET", "/havre/v1/grants");
  const everywhere = words.some(({ word }) => word === "egress") ? ["egress:any"] : [];
  const { outcome: observed, answer: learned } = await inCopy(
    client,
    target,
    plan,
    { grants: unique([...PERMISSIVE, ...everywhere, ...kept]) },
    (id) => client.json<NeedsAnswer>("GET", `/havre/v1/containers/${id}/needs`),
  );
  for (const line of observed.lines) tell(`  ${line}`);
  if (!learned.results)
    throw new HavreError("failed-precondition", "This kernel does not tell how system calls end", {
      hint: "harden needs tracefs (CONFIG_FTRACE_SYSCALLS, and no lockdown)",
    });
  const { needs, seccomp, calls } = learned;
  const base = { observed, needs, kept, calls, ...(seccomp ? { seccomp } : {}) };
  if (!observed.passed) return { ...base, refused: [] };
  tell("The same under the hardened profile with what was learned …");
  const terms = {
    grants: unique([...kept, ...needs.map(({ grant }) => grant)]),
    ...(seccomp ? { seccomp: JSON.stringify(seccomp) } : {}),
  };
  const { outcome: locked, answer: why } = await inCopy(client, target, plan, terms, (id) =>
    client.json<RefusalAnswer>("GET", `/havre/v1/containers/${id}/why`),
  );
  for (const line of locked.lines) tell(`  ${line}`);
  return { ...base, locked, refused: why.refusals };
}

/** Puts a copy through the exercise, asks something of it, and removes it. */
async function inCopy<T>(
  client: Client,
  { container }: Target,
  plan: Exercise,
  terms: { readonly grants: readonly string[]; readonly seccomp?: string },
  ask: (id: string) => Promise<T>,
): Promise<{ readonly outcome: Outcome; readonly answer: T }> {
  const id = await startCopy(client, container, terms);
  try {
    const outcome = await exercise(client, id, plan);
    return { outcome, answer: await ask(id) };
  } finally {
    await removeCopy(client, id);
  }
}

function show(out: Output, name: string, { observed, needs, kept, calls, locked, refused }: Report): void {
  out.line(`\n${name} needs ${needs.length === 0 ? "no grants" : "these grants:"}`);
  for (const { grant, evidence } of needs) {
    out.line(`  ${grant}`);
    for (const one of evidence.slice(0, 3)) out.line(`      ${evidenceLine(one)}`);
    if (evidence.length > 3) out.line(`      and ${evidence.length - 3} more`);
  }
  if (kept.length > 0) out.line(`Kept, since their use is not seen: ${kept.join(" ")}`);
  out.line(`System calls beyond those that every program makes: ${Object.keys(calls).length}`);
  if (!observed.passed) out.line("The watched copy did not pass: what it needs is not known whole");
  else if (locked?.passed) out.line("Locked, it passes the same exercise");
  else out.line("Locked, it does not pass. It was refused:");
  if (locked && !locked.passed)
    for (const { process, tried, target, remedy } of refused)
      out.line(`  ${process ?? "it"} ${tried}${target === undefined ? "" : `: ${target}`} → ${remedy}`);
  if (locked?.passed) out.line(`\n  havre.profile: hardened\n  havre.grants: ${words({ needs, kept }) || "(none)"}`);
}

const words = ({ needs, kept }: Pick<Report, "needs" | "kept">): string =>
  unique([...kept, ...needs.map(({ grant }) => grant)]).join(" ");

function write(out: Output, name: string, { service }: Target, { needs, kept, seccomp }: Report): void {
  const folder = service === undefined ? process.cwd() : dirname(service.file);
  const file = `${service?.name ?? name}.seccomp.json`;
  if (seccomp) writeFileSync(join(folder, file), `${JSON.stringify(seccomp, null, 2)}\n`);
  if (service === undefined) {
    out.line(`Wrote ${file}: run it with --profile hardened --security-opt seccomp=${file} and the grants above`);
    return;
  }
  const terms = {
    grants: unique([...kept, ...needs.map(({ grant }) => grant)]),
    ...(seccomp ? { seccomp: `./${file}` } : {}),
  };
  writeFileSync(service.file, withTerms(readFileSync(service.file, "utf8"), service.name, terms));
  out.line(`Wrote ${service.file}${seccomp ? ` and ${join(folder, file)}` : ""}: 'havre up' takes it on`);
}

const unique = (all: readonly string[]): readonly string[] => [...new Set(all)];
