import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command, Dockerfile } from "./commands.ts";
import { DockerfileError } from "./errors.ts";
import { parseDockerfile } from "./parse-dockerfile.ts";
import type { SourceRange } from "./source.ts";

// `cases/NAME.Dockerfile` is read as `cases/NAME.expected` says.
const FOLDER = resolve(import.meta.dirname, "cases");
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".Dockerfile"))
  .map((name) => name.replace(/\.Dockerfile$/, ""));

test.each(NAMES)("%s", (name) => {
  const text = readFileSync(`${FOLDER}/${name}.Dockerfile`, "utf8");
  expect(read(text)).toBe(readFileSync(`${FOLDER}/${name}.expected`, "utf8"));
});

function read(text: string): string {
  try {
    return show(parseDockerfile({ name: "Dockerfile", text }));
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    return `${error.message}\n${error.hint}\n`;
  }
}

function show({ directives, globalArgs, stages, emptyContinuations }: Dockerfile): string {
  const { syntax, check } = directives;
  const lines = [`escape ${directives.escape}`];
  if (syntax) lines.push(`${place(syntax.range)} syntax ${syntax.text}`);
  if (check) lines.push(`${place(check.range)} check ${check.text}`);
  lines.push(...globalArgs.map(showCommand));
  for (const { source, commands, ...stage } of stages) {
    lines.push(`${place(source.range)} FROM ${JSON.stringify(stage)}`, ...commands.map(showCommand));
  }
  lines.push(...emptyContinuations.map((range) => `${place(range)} empty continuation`));
  return `${lines.join("\n")}\n`;
}

function showCommand({ source, ...command }: Command): string {
  return `${place(source.range)} ${JSON.stringify(command)}`;
}

function place({ start, end }: SourceRange): string {
  return `${start.line}:${start.column}-${end.line}:${end.column}`;
}
