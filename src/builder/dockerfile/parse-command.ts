import type { ArgCommand, ArgDefinition, Command, KeyValue, OnbuildCommand, ShellCommand } from "./commands.ts";
import { DockerfileError } from "./errors.ts";
import { Flags, oneOf } from "./flags.ts";
import { parseHealthcheck } from "./healthchecks.ts";
import { FORMS } from "./instructions.ts";
import { commandLine, parseRun } from "./run.ts";
import { trim } from "./source.ts";
import { didYouMean } from "./suggest.ts";
import { parseAdd, parseCopy } from "./transfers.ts";
import type { Instruction } from "./tree.ts";

const PARSERS: Readonly<Record<string, (source: Instruction) => Command>> = {
  ADD: parseAdd,
  ARG: parseArg,
  CMD: (source) => ({ kind: "cmd", source, line: plain(source, commandLine) }),
  COPY: parseCopy,
  ENTRYPOINT: (source) => ({ kind: "entrypoint", source, line: plain(source, commandLine) }),
  ENV: (source) => ({ kind: "env", source, pairs: pairs(source) }),
  EXPOSE: (source) => ({ kind: "expose", source, ports: some(source).toSorted() }),
  HEALTHCHECK: parseHealthcheck,
  LABEL: (source) => ({ kind: "label", source, pairs: pairs(source) }),
  MAINTAINER: (source) => ({ kind: "maintainer", source, maintainer: plain(source, one) }),
  ONBUILD: parseOnbuild,
  RUN: parseRun,
  SHELL: parseShell,
  STOPSIGNAL: (source) => ({ kind: "stopsignal", source, signal: one(source) }),
  USER: (source) => ({ kind: "user", source, user: plain(source, one) }),
  VOLUME: (source) => ({ kind: "volume", source, paths: volumes(source) }),
  WORKDIR: (source) => ({ kind: "workdir", source, path: plain(source, one) }),
};

/** An instruction other than `FROM` with its types. `invalid-argument` (a `DockerfileError`) with BuildKit's texts. */
export function parseCommand(source: Instruction): Command {
  const keyword = source.name.text.toUpperCase();
  const parse = Object.hasOwn(PARSERS, keyword) ? PARSERS[keyword] : undefined;
  if (parse !== undefined) return parse(source);
  const names = Object.keys(FORMS);
  const message = `unknown instruction: ${source.name.text}${didYouMean(source.name.text, names, true)}`;
  throw new DockerfileError(message, source.file, source.name.range, { expected: oneOf(names) });
}

/** For instructions that know no flag. */
function plain<Value>(source: Instruction, read: (source: Instruction) => Value): Value {
  const value = read(source);
  new Flags(source, {});
  return value;
}

function requires(source: Instruction, what: string): DockerfileError {
  const name = source.name.text.toUpperCase();
  return new DockerfileError(`${name} requires ${what}`, source.file, source.range, { expected: what });
}

function one(source: Instruction): string {
  const [word, ...more] = source.arguments;
  if (word === undefined || more.length > 0) throw requires(source, "exactly one argument");
  return word.text;
}

function some(source: Instruction): readonly string[] {
  if (source.arguments.length === 0) throw requires(source, "at least one argument");
  new Flags(source, {});
  return source.arguments.map(({ text }) => text);
}

function volumes(source: Instruction): readonly string[] {
  return some(source).map((text) => {
    const path = trim(text);
    if (path !== "") return path;
    throw new DockerfileError("VOLUME specified can not be an empty string", source.file, source.range, {
      expected: "a path",
    });
  });
}

function pairs(source: Instruction): readonly KeyValue[] {
  new Flags(source, {});
  if (source.pairs.length === 0) throw requires(source, "at least one argument");
  return source.pairs.map(({ key, value, legacy }) => {
    if (key.text === "") throw blankName(source, source.name.text.toUpperCase(), key.range);
    return { key: key.text, value: value.text, legacy };
  });
}

function blankName(source: Instruction, name: string, range = source.range): DockerfileError {
  return new DockerfileError(`${name} names can not be blank`, source.file, range, { expected: "NAME=VALUE" });
}

function parseArg(source: Instruction): ArgCommand {
  if (source.arguments.length === 0) throw requires(source, "at least one argument");
  const args = source.arguments.map(({ text, range }): ArgDefinition => {
    const equals = text.indexOf("=");
    if (equals === 0) throw blankName(source, "ARG", range);
    const key = equals < 0 ? text : text.slice(0, equals);
    const description = describedBy(source.comments, key);
    return {
      key,
      ...(equals < 0 ? {} : { value: text.slice(equals + 1) }),
      ...(description === undefined ? {} : { description }),
    };
  });
  return { kind: "arg", source, args };
}

/** What a comment `# NAME …` directly above says of `name`. */
export function describedBy(comments: readonly string[], name: string): string | undefined {
  return comments.find((comment) => comment.startsWith(`${name} `))?.slice(name.length + 1);
}

function parseOnbuild(source: Instruction): OnbuildCommand {
  const trigger = source.arguments[0];
  if (trigger === undefined) throw requires(source, "at least one argument");
  new Flags(source, {});
  const name = (/^\S*/.exec(trigger.text)?.[0] ?? "").toUpperCase();
  const refuse = (message: string): never => {
    throw new DockerfileError(message, source.file, trigger.range, { expected: "another instruction" });
  };
  if (name === "ONBUILD") refuse("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (name === "FROM" || name === "MAINTAINER") refuse(`${name} isn't allowed as an ONBUILD trigger`);
  const documents = source.heredocs.map((heredoc) => `\n${heredoc.content}${heredoc.name}`);
  return { kind: "onbuild", source, trigger: trigger.text + documents.join("") };
}

function parseShell(source: Instruction): ShellCommand {
  const shell = some(source);
  if (!source.json) {
    const message = "SHELL requires the arguments to be in JSON form";
    throw new DockerfileError(message, source.file, source.range, { expected: '["program", "argument"]' });
  }
  return { kind: "shell", source, shell };
}
