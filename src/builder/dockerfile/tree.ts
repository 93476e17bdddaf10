import type { SourceRange, Word } from "./source.ts";

/** `# syntax=`, `# escape=`, `# check=` at the head of the file (Dockerfile reference, § Parser directives). */
export interface Directives {
  readonly syntax?: Word;
  /** A backslash, or a backtick when the file says so. */
  readonly escape: "\\" | "`";
  readonly check?: Word;
}

/** A here-document: the lines between `<<NAME` and `NAME`. */
export interface Heredoc {
  readonly name: string;
  /** False when the name was quoted: variables in the content are the shell's then. */
  readonly expand: boolean;
  /** `<<-`: leading tabs do not count. They are still in `content`. */
  readonly chomp: boolean;
  readonly content: string;
}

/** One instruction as written: continuations joined, flags and arguments told apart, nothing expanded. */
export interface Instruction {
  readonly name: Word;
  /** `--name=value` before the arguments, quotes taken off. */
  readonly flags: readonly Word[];
  /** Words, name and value pairs as `name=value`, the elements of a JSON array, or the one text of a shell form. */
  readonly arguments: readonly Word[];
  /** The arguments were a JSON array. */
  readonly json: boolean;
  readonly heredocs: readonly Heredoc[];
  /** The joined line, without here-documents. */
  readonly text: string;
  /** From the first to the last line, here-documents included. */
  readonly range: SourceRange;
  /** Comments directly above, without `#`; a blank comment line ends them. */
  readonly comments: readonly string[];
  /** What `ONBUILD` carries. */
  readonly trigger?: Instruction;
}
