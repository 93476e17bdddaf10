/** What a Go template (text/template) is once parsed: the part of the language that people use in `--format`. */

export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly pipe: Pipe }
  | { readonly kind: "if" | "with" | "range"; readonly pipe: Pipe; readonly body: Node[]; readonly otherwise: Node[] }
  | { readonly kind: "break" | "continue" };

export interface Pipe {
  /** Variables assigned: none, one, or index and element of a range. */
  readonly variables: readonly string[];
  /** `:=` rather than `=`. */
  readonly declares: boolean;
  readonly commands: readonly Command[];
}

export interface Command {
  readonly operands: readonly Operand[];
  /** For messages: its text, and the offset in the template. */
  readonly source: string;
  readonly at: number;
}

export type Operand =
  | { readonly kind: "dot" | "nil" }
  | { readonly kind: "constant"; readonly value: string | number | boolean }
  | { readonly kind: "function"; readonly name: string }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "pipe"; readonly pipe: Pipe }
  /** Fields of a value, one after the other. */
  | {
      readonly kind: "field";
      readonly of: Operand;
      readonly names: readonly string[];
      readonly at: number;
      readonly source: string;
    };

export type TokenKind =
  | "field"
  | "variable"
  | "word"
  | "string"
  | "number"
  | "dot"
  | "("
  | ")"
  | "|"
  | ":="
  | "="
  | ","
  | "end";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Offset in the template. */
  readonly at: number;
  /** White space stood before it. */
  readonly spaced: boolean;
}

/** What a template says wrongly, or does wrongly with the data; worded as Go words it. */
export class TemplateError extends Error {}
