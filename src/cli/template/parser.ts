import { isFunction } from "./functions.ts";
import { cutTemplate, type Piece } from "./lexer.ts";
import { type Command, type Node, type Operand, type Pipe, TemplateError, type Token } from "./syntax.ts";

/** Parses a template; TemplateError with Go's wording when it is malformed. */
export function parseTemplate(source: string): Node[] {
  const parser = new Parser(cutTemplate(source), source);
  return parser.parseAll();
}

const BLOCKS = ["if", "with", "range"] as const;

class Parser {
  #at = 0;
  #depth = 0;

  constructor(
    readonly pieces: readonly Piece[],
    readonly source: string,
  ) {}

  parseAll(): Node[] {
    const { nodes, stop } = this.#list();
    if (stop !== undefined) throw new TemplateError(`template: :1: unexpected {{${stop}}}`);
    return nodes;
  }

  /** Nodes up to `{{end}}` or `{{else …}}`, which is what `stop` tells. */
  #list(): { nodes: Node[]; stop?: string; rest?: Token[] } {
    const nodes: Node[] = [];
    while (this.#at < this.pieces.length) {
      const piece = this.pieces[this.#at++];
      if (!piece) break;
      if (piece.kind === "text") {
        nodes.push(piece);
        continue;
      }
      const [first, ...rest] = piece.tokens;
      if (first?.kind === "word") {
        if (first.text === "end" || first.text === "else") return { nodes, stop: first.text, rest };
        const block = BLOCKS.find((name) => name === first.text);
        if (block) {
          nodes.push(this.#block(block, rest));
          continue;
        }
        if ((first.text === "break" || first.text === "continue") && rest.length === 0) {
          nodes.push({ kind: first.text });
          continue;
        }
      }
      nodes.push({ kind: "action", pipe: this.#pipe(piece.tokens, "command") });
    }
    if (this.#depth > 0) throw new TemplateError("template: :1: unexpected EOF");
    return { nodes };
  }

  #block(kind: (typeof BLOCKS)[number], tokens: Token[]): Node {
    const pipe = this.#pipe(tokens, kind);
    this.#depth++;
    const body = this.#list();
    let otherwise: Node[] = [];
    if (body.stop === "else") {
      const [next, ...rest] = body.rest ?? [];
      const chained = BLOCKS.find((name) => name === next?.text);
      if (chained) {
        // `{{else if}}` shares its end with the block it belongs to.
        this.#depth--;
        return { kind, pipe, body: body.nodes, otherwise: [this.#block(chained, rest)] };
      }
      const tail = this.#list();
      if (tail.stop !== "end") throw new TemplateError("template: :1: expected end; found {{else}}");
      otherwise = tail.nodes;
    }
    this.#depth--;
    return { kind, pipe, body: body.nodes, otherwise };
  }

  #pipe(tokens: readonly Token[], context: string): Pipe {
    const reader = new PipeReader(tokens, this.source);
    const pipe = reader.pipe(context);
    reader.expectEnd();
    return pipe;
  }
}

class PipeReader {
  #at = 0;

  constructor(
    readonly tokens: readonly Token[],
    readonly source: string,
  ) {}

  expectEnd(): void {
    const token = this.tokens[this.#at];
    if (token) throw new TemplateError(`template: :1: unexpected <${token.text}> in command`);
  }

  pipe(context: string): Pipe {
    const { variables, declares } = this.#assignment();
    const commands: Command[] = [];
    do commands.push(this.#command(context));
    while (this.#take("|"));
    return { variables, declares, commands };
  }

  #assignment(): { variables: string[]; declares: boolean } {
    const words = this.tokens.slice(this.#at);
    const pair = words[0]?.kind === "variable" && words[1]?.kind === "," && words[2]?.kind === "variable";
    const sign = words[pair ? 3 : 1];
    if (words[0]?.kind !== "variable" || (sign?.kind !== ":=" && sign?.kind !== "="))
      return { variables: [], declares: false };
    this.#at += pair ? 4 : 2;
    const names = pair ? [words[0].text, words[2]?.text ?? ""] : [words[0].text];
    return { variables: names, declares: sign.kind === ":=" };
  }

  #command(context: string): Command {
    const first = this.tokens[this.#at];
    const operands: Operand[] = [];
    for (;;) {
      const operand = this.#operand();
      if (!operand) break;
      operands.push(operand);
    }
    if (operands.length === 0) throw new TemplateError(`template: :1: missing value for ${context}`);
    const last = this.tokens[this.#at - 1];
    const at = first?.at ?? 0;
    return { operands, at, source: this.source.slice(at, (last?.at ?? at) + (last?.text.length ?? 0)) };
  }

  #take(kind: Token["kind"]): boolean {
    if (this.tokens[this.#at]?.kind !== kind) return false;
    this.#at++;
    return true;
  }

  #operand(): Operand | undefined {
    const term = this.#term();
    if (!term) return undefined;
    const start = this.tokens[this.#at - 1];
    const names: string[] = term.kind === "field" ? [...term.names] : [];
    let at: number | undefined;
    for (;;) {
      const next = this.tokens[this.#at];
      if (next?.kind !== "field" || next.spaced) break;
      at ??= next.at;
      names.push(next.text.slice(1));
      this.#at++;
    }
    if (at === undefined) return term;
    const of: Operand = term.kind === "field" ? term.of : term;
    const prefix = of.kind === "variable" ? of.name : "";
    return { kind: "field", of, names, at: at ?? start?.at ?? 0, source: `${prefix}.${names.join(".")}` };
  }

  #term(): Operand | undefined {
    const token = this.tokens[this.#at];
    if (!token || token.kind === "|" || token.kind === ")") return undefined;
    this.#at++;
    switch (token.kind) {
      case "dot":
        return { kind: "dot" };
      case "field":
        return { kind: "field", of: { kind: "dot" }, names: [token.text.slice(1)], at: token.at, source: token.text };
      case "variable":
        return { kind: "variable", name: token.text };
      case "string":
        return { kind: "constant", value: unquote(token.text) };
      case "number":
        return { kind: "constant", value: Number(token.text) };
      case "word":
        return wordOperand(token.text);
      case "(": {
        const pipe = this.pipe("parenthesized pipeline");
        if (!this.#take(")")) throw new TemplateError("template: :1: unclosed left paren");
        return { kind: "pipe", pipe };
      }
      default:
        throw new TemplateError(`template: :1: unexpected ${JSON.stringify(token.text)} in operand`);
    }
  }
}

function wordOperand(word: string): Operand {
  if (word === "true" || word === "false") return { kind: "constant", value: word === "true" };
  if (word === "nil") return { kind: "nil" };
  if (!isFunction(word)) throw new TemplateError(`template: :1: function ${JSON.stringify(word)} not defined`);
  return { kind: "function", name: word };
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", '"': '"', "\\": "\\", "'": "'" };

function unquote(text: string): string {
  if (text.startsWith("`")) return text.slice(1, -1);
  return text.slice(1, -1).replace(/\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)/g, (_whole, code: string) => {
    if (code.length > 1) return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
    return ESCAPES[code] ?? code;
  });
}
