import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { HavreError } from "../../base/mod.ts";
import { lintDockerfile } from "./lint/mod.ts";
import { parseDockerfile } from "./parse-dockerfile.ts";
import { planBuild } from "./plan.ts";
import { StageScope } from "./scope.ts";

const FOLDER = resolve(import.meta.dirname, "cases");
const SEEDS = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".Dockerfile"))
  .map((name) => readFileSync(`${FOLDER}/${name}`, "utf8"));
const PIECES = [
  ..."\\`\"'#$<>=[]{}:/-,\t\r\n \uFEFF\u0000☃",
  ...'FROM |RUN |COPY |--from=|--mount=|<<EOF|<<-|ONBUILD |# escape=`\n|${|:-|//|\\\n|["|ENV |ARG |AS '.split("|"),
];
const AMD64 = { os: "linux", architecture: "amd64" };
const TOLD = { buildArgs: new Map([["A", "1"]]), buildPlatform: AMD64, targetPlatform: AMD64 };

/** Numbers below `limit` that are the same in each run. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Everything the language does with a text. */
function useAll(text: string): void {
  const dockerfile = parseDockerfile({ name: "Dockerfile", text });
  const lines = text.split("\n").length;
  for (const { source, commands } of dockerfile.stages) {
    for (const { range } of [source, ...commands.map((command) => command.source)]) {
      expect(range.start.line).toBeGreaterThan(0);
      expect(range.end.line).toBeLessThanOrEqual(lines);
    }
  }
  const plan = planBuild(dockerfile, TOLD);
  lintDockerfile(plan, TOLD);
  for (const { commands } of plan.stages) {
    const scope = StageScope.onImage(dockerfile, plan.globals, TOLD.buildArgs, ["PATH=/bin"]);
    for (const command of commands) scope.apply(command);
  }
}

function survives(text: string): void {
  try {
    useAll(text);
  } catch (error) {
    if (!(error instanceof HavreError)) throw new Error(`${JSON.stringify(text)}: ${error}`, { cause: error });
    expect(error.kind).toBe("invalid-argument");
    expect(error.message).not.toBe("");
  }
}

test("a changed Dockerfile is read or refused with words", () => {
  const next = numbers(1);
  for (let round = 0; round < 3000; round++) {
    let text = SEEDS[next(SEEDS.length)] ?? "";
    for (let change = next(6); change >= 0; change--) {
      const at = next(text.length + 1);
      const kind = next(3);
      const piece = PIECES[next(PIECES.length)] ?? "";
      text = text.slice(0, at) + (kind === 0 ? "" : piece) + text.slice(kind === 1 ? at : at + next(8));
    }
    survives(text);
  }
});

const FULL = 60_000;
test.each([
  ["spaces", `FROM a\nRUN x${" ".repeat(FULL)}y\n`],
  ["blanks before a continuation", `FROM a\nRUN x${" \\ ".repeat(FULL / 3)}\n`],
  ["carriage returns", `FROM a\nRUN ${"\r".repeat(FULL)}x\n`],
  ["quotes", `FROM a\nENV A=${'"'.repeat(FULL)}\n`],
  ["escapes", `FROM a\nCOPY ${"\\".repeat(FULL)} b\n`],
  ["words", `FROM a\nCOPY ${"a ".repeat(FULL / 2)}b\n`],
  ["brackets", `FROM a\nCMD ${"[".repeat(FULL)}\n`],
  ["here-documents", `FROM a\nRUN ${"<<a ".repeat(FULL / 4)}\n`],
  ["a blank here-document", `FROM a\nRUN <<${" ".repeat(FULL / 2)}${"a".repeat(FULL / 2 - 9)}<\n`],
  ["variables", `FROM a\nUSER ${"$A".repeat(FULL / 2)}\n`],
  ["braces", `FROM a\nUSER ${"${A:-".repeat(FULL / 5)}\n`],
  [
    "doubling",
    `FROM a\nENV A0=xxxxxxxx\n${Array.from({ length: 40 }, (_, n) => `ENV A${n + 1}=$A${n}$A${n}\n`).join("")}`,
  ],
  ["patterns", `FROM a\nENV L=${"a".repeat(9000)}\nENV B=\${L//${"*a".repeat(200)}b/}\n`],
  ["flags", `FROM a\nCOPY ${"--exclude=x ".repeat(FULL / 12)} a b\n`],
  ["mounts", `FROM a\nRUN ${"--mount=type=cache,target=/x ".repeat(FULL / 30)} a\n`],
  ["ONBUILD", `FROM a\n${"ONBUILD ".repeat(FULL / 8)}RUN x\n`],
  ["ports", "FROM a\nEXPOSE 1-65535 1-65535/udp\n".repeat(1)],
  ["stages", Array.from({ length: 5000 }, (_, n) => `FROM ${n ? `s${n - 1}` : "a"} AS s${n}\n`).join("")],
  ["arguments", `${Array.from({ length: 5000 }, (_, n) => `ARG A${n}=$A${n - 1}\n`).join("")}FROM a\n`],
  ["continuations", `FROM a\nRUN x ${"\\\n".repeat(FULL)}`],
  ["comments", `${"# x\n".repeat(FULL)}FROM a\n`],
])("hostile %s are dealt with before the test's time is over", (_, text) => {
  survives(text);
});
