import type { SourceFile, SourceRange, Word } from "./source.ts";

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

/** `NAME=value`, or `NAME value` as it was written long ago; quotes and variables are still in. */
export interface Pair {
  readonly key: Word;
  readonly value: Word;
  /** Written with a space, not with `=`. */
  readonly legacy: boolean;
}

/** One instruction as written: continuations joined, flags and arguments told apart, nothing expanded. */
export interface Instruction {
  readonly file: SourceFile;
  readonly name: Word;
  /** `--name=value` before the arguments, quotes taken off. */
  readonly flags: readonly Word[];
  /** Words, the elements of a JSON array, or the one text of a shell form. */
  readonly arguments: readonly Word[];
  /** The arguments of `ENV` and `LABEL`, which have no `arguments`. */
  readonly pairs: readonly Pair[];
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

/** A file as instructions. */
export interface Tree {
  readonly file: SourceFile;
  readonly directives: Directives;
  /** At least one. */
  readonly instructions: readonly Instruction[];
  /** Where blank lines stand between the lines of one instruction. */
  readonly emptyContinuations: readonly SourceRange[];
}
