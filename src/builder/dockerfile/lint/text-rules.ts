import type { Command, Dockerfile, Stage } from "../commands.ts";
import type { Instruction } from "../tree.ts";
import type { Reporter } from "./reporter.ts";

const RESERVED = ["context", "scratch"];

/** The rules about how a file is written, whatever it builds. */
export function lintText(dockerfile: Dockerfile, reporter: Reporter): void {
  const { file, stages, globalArgs } = dockerfile;
  for (const range of dockerfile.emptyContinuations) {
    reporter.warn("NoEmptyContinuation", { file, range, comments: [] }, "Empty continuation line");
  }
  lintCasing(dockerfile, reporter);
  const names = new Set<string>();
  for (const stage of stages) {
    lintFrom(stage, reporter);
    lintName(stage, names, reporter);
  }
  for (const command of [...globalArgs, ...stages.flatMap(({ commands }) => commands)]) lintCommand(command, reporter);
}

function lintCasing({ stages }: Dockerfile, reporter: Reporter): void {
  const sources = stages.flatMap(({ source, commands }) => [source, ...commands.map((command) => command.source)]);
  const isLower = (name: string) => name === name.toLowerCase();
  const isUpper = (name: string) => name === name.toUpperCase();
  const lower = sources.filter(({ name }) => isLower(name.text)).length;
  const upper = sources.filter(({ name }) => isUpper(name.text)).length;
  const wanted = lower > upper ? "lowercase" : "uppercase";
  for (const source of sources) {
    const name = source.name.text;
    if (wanted === "lowercase" ? isLower(name) : isUpper(name)) continue;
    const message = `Command '${name}' should match the case of the command majority (${wanted})`;
    reporter.warn("ConsistentInstructionCasing", source, message, source.name.range);
  }
}

function lintFrom({ source }: Stage, reporter: Reporter): void {
  const [, as, alias] = source.arguments;
  if (as === undefined || alias === undefined) return;
  if (alias.text !== alias.text.toLowerCase()) {
    reporter.warn("StageNameCasing", source, `Stage name '${alias.text}' should be lowercase`, alias.range);
  }
  const from = source.name.text;
  const [lower, upper] = [from === from.toLowerCase(), from === from.toUpperCase()];
  const fits = lower ? as.text === as.text.toLowerCase() : !upper || as.text === as.text.toUpperCase();
  if (!fits) {
    reporter.warn("FromAsCasing", source, `'${as.text}' and '${from}' keywords' casing do not match`, as.range);
  }
}

function lintName({ name, source }: Stage, names: Set<string>, reporter: Reporter): void {
  if (name === undefined) return;
  const range = source.arguments[2]?.range;
  if (RESERVED.includes(name)) {
    const message = `Stage name should not use the same name as reserved stage ${JSON.stringify(name)}`;
    reporter.warn("ReservedStageName", source, message, range);
  }
  if (names.has(name)) {
    const message = `Duplicate stage name ${JSON.stringify(name)}, stage names should be unique`;
    reporter.warn("DuplicateStageName", source, message, range);
  }
  names.add(name);
  lintDescription(source, "FROM", [name], reporter);
}

function lintCommand(command: Command, reporter: Reporter): void {
  const { source } = command;
  switch (command.kind) {
    case "maintainer":
      reporter.warn("MaintainerDeprecated", source, "Maintainer instruction is deprecated in favor of using label");
      return;
    case "arg":
      lintDescription(
        source,
        "ARG",
        command.args.map(({ key }) => key),
        reporter,
      );
      return;
    case "env":
    case "label": {
      const name = source.name.text;
      if (!command.pairs.some(({ legacy }) => legacy)) return;
      const message = `"${name} key=value" should be used instead of legacy "${name} key value" format`;
      reporter.warn("LegacyKeyValueFormat", source, message);
    }
  }
}

/** A comment directly above names what it is about, or is not meant as a description. */
function lintDescription(source: Instruction, name: string, keys: readonly string[], reporter: Reporter): void {
  const comment = source.comments.at(-1);
  if (comment === undefined || keys.includes(comment.split(" ", 1)[0] ?? "")) return;
  const example = keys.length > 1 ? "<arg_key>" : (keys[0] ?? "");
  const message = `Comment for ${name} should follow the format: \`# ${example} <description>\``;
  reporter.warn("InvalidDefinitionDescription", source, message);
}
