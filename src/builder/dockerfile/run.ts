import type { CommandLine, RunCommand, RunLine } from "./commands.ts";
import { DockerfileError } from "./errors.ts";
import { Flags, oneOf } from "./flags.ts";
import { asHeredoc, chomped } from "./heredocs.ts";
import { readMounts } from "./run-mounts.ts";
import type { Word } from "./source.ts";
import type { Instruction } from "./tree.ts";

const NETWORKS = ["default", "none", "host"] as const;
const SECURITY = ["sandbox", "insecure"] as const;

export function parseRun(source: Instruction): RunCommand {
  const flags = new Flags(source, { mount: "strings", network: "string", security: "string" });
  return {
    kind: "run",
    source,
    line: runLine(source),
    mounts: readMounts(source, flags.words("mount")),
    network: choose(source, flags.words("network")[0], NETWORKS, (text) => `invalid network mode ${text}`),
    security: choose(source, flags.words("security")[0], SECURITY, (text) => `security ${text} is not valid`),
  };
}

/** The command line of `CMD`, `ENTRYPOINT` and a `RUN` without here-documents. */
export function commandLine({ arguments: words, json }: Pick<Instruction, "arguments" | "json">): CommandLine {
  const texts = words.map(({ text }) => text);
  return json ? { form: "exec", arguments: texts } : { form: "shell", text: texts.join(" ") };
}

function runLine(source: Instruction): RunLine {
  const line = commandLine(source);
  const [first] = source.heredocs;
  if (first === undefined || line.form !== "shell") return line;
  if (asHeredoc(line.text) === undefined) {
    // The shell reads its here-documents itself.
    const documents = source.heredocs.map(({ name, content }) => `\n${content}${name}`);
    return { form: "shell", text: line.text + documents.join("") };
  }
  const content = chomped(first);
  return content.startsWith("#!") ? { form: "script", name: first.name, content } : { form: "shell", text: content };
}

/** The first option when the flag is not given. */
function choose<Option extends string>(
  source: Instruction,
  given: Word | undefined,
  options: readonly [Option, ...Option[]],
  complain: (quoted: string) => string,
): Option {
  if (given === undefined) return options[0];
  const option = options.find((name) => name === given.text);
  if (option !== undefined) return option;
  const expected = oneOf(options);
  throw new DockerfileError(complain(JSON.stringify(given.text)), source.file, given.range, { expected });
}
