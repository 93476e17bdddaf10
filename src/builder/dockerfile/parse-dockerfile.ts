import { HavreError } from "../../base/mod.ts";
import type { ArgCommand, Command, Dockerfile, Stage } from "./commands.ts";
import { DockerfileError, restated } from "./errors.ts";
import { Flags } from "./flags.ts";
import { describedBy, parseCommand } from "./parse-command.ts";
import { parseTree } from "./parse-tree.ts";
import type { SourceFile } from "./source.ts";
import type { Instruction } from "./tree.ts";

/** UTF-16 units. Trees take some hundred bytes for each word. */
const LARGEST = 4 * 1024 * 1024;
const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;

/**
 * Reads a Dockerfile in full (Dockerfile reference). `invalid-argument` (a `DockerfileError` with file, line and column) with BuildKit's
 * texts for what is wrong in it.
 */
export function parseDockerfile(file: SourceFile): Dockerfile {
  if (file.text.length > LARGEST) {
    throw new HavreError("invalid-argument", `${file.name} is larger than ${LARGEST} characters`);
  }
  const tree = parseTree(file);
  const globalArgs: ArgCommand[] = [];
  const stages: (Stage & { commands: Command[] })[] = [];
  for (const instruction of tree.instructions) {
    const item = onItsLine(instruction);
    const stage = stages.at(-1);
    if (item.kind === "from") stages.push({ ...item.stage, index: stages.length, commands: [] });
    else if (stage !== undefined) stage.commands.push(item);
    else if (item.kind === "arg") globalArgs.push(item);
    else throw new DockerfileError("no build stage in current context", file, instruction.range, { expected: "FROM" });
  }
  if (stages.length === 0) {
    const range = tree.instructions[0]?.range ?? { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };
    throw new DockerfileError("dockerfile contains no stages to build", file, range, { expected: "FROM" });
  }
  return { file, directives: tree.directives, globalArgs, stages, emptyContinuations: tree.emptyContinuations };
}

/**
 * The command an `ONBUILD` trigger of an image carries. Its place is the trigger's text; complaints about it name that.
 * `invalid-argument` when it is not one instruction.
 */
export function parseTrigger(text: string): Command {
  const { instructions } = parseTree({ name: "ONBUILD trigger", text });
  const [instruction, ...more] = instructions;
  if (instruction === undefined || more.length > 0) {
    throw new HavreError("invalid-argument", "onbuild trigger should be a single expression");
  }
  return parseCommand(instruction);
}

type Item = Command | { readonly kind: "from"; readonly stage: Omit<Stage, "index" | "commands"> };

/** BuildKit says the line in the message, too. */
function onItsLine(instruction: Instruction): Item {
  try {
    if (instruction.name.text.toUpperCase() !== "FROM") return parseCommand(instruction);
    return { kind: "from", stage: parseFrom(instruction) };
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    throw restated(error, `dockerfile parse error on line ${instruction.range.start.line}: ${error.message}`);
  }
}

function parseFrom(source: Instruction): Omit<Stage, "index" | "commands"> {
  const [base, as, alias, ...more] = source.arguments;
  if (base === undefined || more.length > 0 || (as !== undefined && (alias === undefined || !/^as$/i.test(as.text)))) {
    const message = "FROM requires either one or three arguments";
    throw new DockerfileError(message, source.file, (as ?? source).range, { expected: "IMAGE [AS NAME]" });
  }
  const name = alias?.text.toLowerCase();
  if (alias !== undefined && name !== undefined && !STAGE_NAME.test(name)) {
    const message = `invalid name for build stage: ${JSON.stringify(alias.text)}, name can't start with a number or contain symbols`;
    throw new DockerfileError(message, source.file, alias.range, { expected: "a letter, then letters, digits, - _ ." });
  }
  const platform = new Flags(source, { platform: "string" }).string("platform");
  const description = name === undefined ? undefined : describedBy(source.comments, name);
  return {
    base: base.text,
    source,
    ...(name === undefined ? {} : { name }),
    ...(platform === undefined ? {} : { platform }),
    ...(description === undefined ? {} : { description }),
  };
}
