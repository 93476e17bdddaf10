import { HavreError } from "../../base/mod.ts";
import { parseExposedPort, parseSignal } from "../../spec/mod.ts";
import type { AddCommand, Command, CopyCommand, KeyValue } from "./commands.ts";
import { DockerfileError } from "./errors.ts";
import { placeOf } from "./places.ts";
import { readMounts } from "./run-mounts.ts";
import { isSpace } from "./source.ts";
import type { Instruction } from "./tree.ts";
import type { WordOptions } from "./words.ts";

type Expand = (word: string, options?: Partial<WordOptions>) => string;
/** Takes in an argument with its default as written, answers with its value. */
type Define = (key: string, fallback: string | undefined) => string | undefined;

/** UTF-16 units of a here-document after variables were put in. */
const FILE_LIMIT = 16 * 1024 * 1024;

/** A command with variables put in where its instruction takes them (Dockerfile reference, § Environment replacement). */
export function expandCommand(command: Command, expand: Expand, define: Define): Command {
  switch (command.kind) {
    case "add":
      return expandTransfer(command, expand);
    case "copy":
      return expandTransfer(command, expand);
    case "arg":
      return {
        ...command,
        args: command.args.map(({ value: fallback, ...arg }) => {
          const value = define(arg.key, fallback);
          return value === undefined ? arg : { ...arg, value };
        }),
      };
    case "env":
    case "label":
      return { ...command, pairs: command.pairs.map((pair) => expandPair(pair, expand)) };
    case "expose":
      return { ...command, ports: exposedPorts(command.source, command.ports, expand) };
    case "run": {
      const flags = command.source.flags.filter(({ text }) => text.startsWith("--mount="));
      const words = flags.map(({ text, range }) => ({ text: text.slice("--mount=".length), range }));
      return { ...command, mounts: readMounts(command.source, words, expand) };
    }
    case "stopsignal": {
      const signal = expand(command.signal);
      placed(command.source, command.signal, "a signal, as in SIGTERM", () => parseSignal(signal));
      return { ...command, signal };
    }
    case "user":
      return { ...command, user: expand(command.user) };
    case "volume": {
      const paths = command.paths.map((path) => expand(path));
      if (!paths.includes("")) return { ...command, paths };
      const { file, range } = command.source;
      throw new DockerfileError("VOLUME specified can not be an empty string", file, range, { expected: "a path" });
    }
    case "workdir":
      return { ...command, path: expand(command.path) };
    default:
      return command;
  }
}

function expandPair({ key, value, legacy }: KeyValue, expand: Expand): KeyValue {
  return { key: expand(key), value: expand(value), legacy };
}

function expandTransfer<T extends AddCommand | CopyCommand>(command: T, expand: Expand): T {
  const given = (name: "chown" | "chmod" | "checksum") => {
    const word = name in command ? (command as Partial<Record<typeof name, string>>)[name] : undefined;
    return word === undefined ? {} : { [name]: expand(word) };
  };
  return {
    ...command,
    ...given("chown"),
    ...given("chmod"),
    ...given("checksum"),
    sources: command.sources.map((source) => expand(source)),
    files: command.files.map((file) => {
      if (!file.expand) return file;
      const content = expand(file.content, { escape: "\\", literalQuotes: true, limit: FILE_LIMIT });
      return { ...file, content, expand: false };
    }),
    destination: expand(command.destination),
  };
}

/** One word may become several ports. */
function exposedPorts(source: Instruction, words: readonly string[], expand: Expand): readonly string[] {
  const ports = new Set<string>();
  for (const word of words) {
    for (const text of splitAtSpaces(expand(word))) {
      const expected = "a port, as in 80 or 53/udp";
      for (const port of placed(source, word, expected, () => parseExposedPort(text))) ports.add(port);
    }
  }
  return [...ports];
}

function splitAtSpaces(text: string): readonly string[] {
  const words: string[] = [];
  let word = "";
  for (const character of `${text} `) {
    if (!isSpace(character)) word += character;
    else if (word !== "") {
      words.push(word);
      word = "";
    }
  }
  return words;
}

/** Gives a complaint about a word its place. */
function placed<Value>(source: Instruction, word: string, expected: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof HavreError)) throw error;
    throw new DockerfileError(error.message, source.file, placeOf(source, word), { expected });
  }
}
