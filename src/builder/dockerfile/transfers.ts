import type { AddCommand, CopyCommand, InlineFile } from "./commands.ts";
import { DockerfileError } from "./errors.ts";
import { Flags } from "./flags.ts";
import { asHeredoc, chomped } from "./heredocs.ts";
import type { Instruction } from "./tree.ts";

const SHARED = { chown: "string", chmod: "string", link: "boolean", exclude: "strings" } as const;

export function parseAdd(source: Instruction): AddCommand {
  const files = filesOf(source, "ADD");
  const flags = new Flags(source, { ...SHARED, "keep-git-dir": "boolean", checksum: "string", unpack: "boolean" });
  const [checksum, keepGitDir, unpack] = [
    flags.string("checksum"),
    flags.boolean("keep-git-dir"),
    flags.boolean("unpack"),
  ];
  return {
    kind: "add",
    source,
    ...files,
    ...shared(flags),
    ...(checksum === undefined ? {} : { checksum }),
    ...(keepGitDir === undefined ? {} : { keepGitDir }),
    ...(unpack === undefined ? {} : { unpack }),
  };
}

export function parseCopy(source: Instruction): CopyCommand {
  const files = filesOf(source, "COPY");
  const flags = new Flags(source, { ...SHARED, from: "string", parents: "boolean" });
  const from = flags.string("from");
  return {
    kind: "copy",
    source,
    ...files,
    ...shared(flags),
    ...(from === undefined ? {} : { from }),
    parents: flags.boolean("parents") ?? false,
  };
}

function shared(flags: Flags): Pick<CopyCommand, "chown" | "chmod" | "link" | "excludes"> {
  const [chown, chmod] = [flags.string("chown"), flags.string("chmod")];
  return {
    ...(chown === undefined ? {} : { chown }),
    ...(chmod === undefined ? {} : { chmod }),
    link: flags.boolean("link") ?? false,
    excludes: flags.words("exclude").map(({ text }) => text),
  };
}

function filesOf(source: Instruction, name: string): Pick<CopyCommand, "sources" | "files" | "destination"> {
  const destination = source.arguments.at(-1);
  if (destination === undefined || source.arguments.length < 2) {
    const message = `${name} requires at least two arguments, but only one was provided. Destination could not be determined`;
    throw new DockerfileError(message, source.file, source.range, { expected: "SOURCE… DESTINATION" });
  }
  if (asHeredoc(destination.text) !== undefined) {
    const message = `${name} cannot accept a heredoc as a destination`;
    throw new DockerfileError(message, source.file, destination.range, { expected: "a path" });
  }
  const sources: string[] = [];
  const files: InlineFile[] = [];
  const contents = new Map(source.heredocs.map((heredoc) => [heredoc.name, chomped(heredoc)]));
  for (const { text } of source.arguments.slice(0, -1)) {
    const heredoc = source.json ? undefined : asHeredoc(text);
    if (heredoc === undefined) sources.push(text);
    else files.push({ name: heredoc.name, content: contents.get(heredoc.name) ?? "", expand: heredoc.expand });
  }
  return { sources, files, destination: destination.text };
}
