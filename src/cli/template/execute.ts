import { functions, headerFunctions, type TemplateFunction } from "./functions.ts";
import { parseTemplate } from "./parser.ts";
import { type Command, type Node, type Operand, type Pipe, TemplateError } from "./syntax.ts";
import { isObject, isRow, Kinds, nilPointer } from "./values.ts";

export interface ExecuteOptions {
  /** The data are a table's headings: functions leave them alone. */
  readonly header?: boolean;
  /** For messages about a field that is not there: `*formatter.ContainerContext`. */
  readonly typeName?: string;
  /** A field that is not there prints `<no value>` rather than being an error. */
  readonly missingIsEmpty?: boolean;
}

/** A parsed Go template, to be executed over any number of values. */
export class Template {
  readonly #nodes: Node[];

  constructor(readonly source: string) {
    this.#nodes = parseTemplate(source);
  }

  execute(data: unknown, options: ExecuteOptions = {}): string {
    return new Execution(this.source, data, options).run(this.#nodes);
  }
}

class Jump extends Error {
  constructor(readonly kind: "break" | "continue") {
    super(kind);
  }
}

class Execution {
  readonly #kinds = new Kinds();
  readonly #functions: Readonly<Record<string, TemplateFunction>>;
  #out = "";
  #scopes: Map<string, unknown>[];

  constructor(
    readonly source: string,
    data: unknown,
    readonly options: ExecuteOptions,
  ) {
    this.#functions = options.header ? headerFunctions : functions;
    this.#scopes = [new Map([["$", data]])];
    this.data = data;
  }
  readonly data: unknown;

  run(nodes: readonly Node[]): string {
    this.#list(nodes, this.data);
    return this.#out;
  }

  #list(nodes: readonly Node[], dot: unknown): void {
    for (const node of nodes) this.#node(node, dot);
  }

  #node(node: Node, dot: unknown): void {
    switch (node.kind) {
      case "text":
        this.#out += node.text;
        return;
      case "action": {
        const value = this.#pipe(node.pipe, dot);
        if (node.pipe.variables.length === 0) this.#out += this.#kinds.print(value);
        return;
      }
      case "break":
      case "continue":
        throw new Jump(node.kind);
      default:
        this.#scoped(() => {
          if (node.kind === "range") this.#range(node, dot);
          else this.#branch(node, dot);
        });
    }
  }

  #scoped(work: () => void): void {
    this.#scopes.push(new Map());
    try {
      work();
    } finally {
      this.#scopes.pop();
    }
  }

  #branch(node: Extract<Node, { pipe: Pipe; body: Node[] }>, dot: unknown): void {
    const value = this.#pipe(node.pipe, dot);
    if (this.#kinds.isTrue(value)) this.#list(node.body, node.kind === "with" ? value : dot);
    else this.#list(node.otherwise, dot);
  }

  #range(node: Extract<Node, { pipe: Pipe; body: Node[] }>, dot: unknown): void {
    const { variables, ...rest } = node.pipe;
    const value = this.#pipe({ ...rest, variables: [] }, dot);
    const entries = this.#entries(value);
    if (entries.length === 0) this.#list(node.otherwise, dot);
    for (const [key, item] of entries) {
      this.#scoped(() => {
        const last = variables.at(-1);
        if (variables.length === 2) this.#declare(variables[0] ?? "", key);
        if (last !== undefined) this.#declare(last, item);
        try {
          this.#list(node.body, item);
        } catch (error) {
          if (!(error instanceof Jump)) throw error;
          if (error.kind === "break") entries.length = 0;
        }
      });
      if (entries.length === 0) return;
    }
  }

  #entries(value: unknown): [unknown, unknown][] {
    if (value === undefined || value === nilPointer) return [];
    if (Array.isArray(value)) return value.map((item, at) => [at, item]);
    if (typeof value === "number") return Array.from({ length: value }, (_, at) => [at, at]);
    if (isObject(value)) {
      const keys = Object.keys(value).sort();
      return keys.map((key) => [key, this.#kinds.field(value, key)?.value]);
    }
    throw new TemplateError(`template: :1: range can't iterate over ${this.#kinds.print(value)}`);
  }

  #declare(name: string, value: unknown): void {
    this.#scopes.at(-1)?.set(name, value);
  }

  #pipe(pipe: Pipe, dot: unknown): unknown {
    let value: unknown;
    for (const [at, command] of pipe.commands.entries()) value = this.#command(command, dot, at > 0 ? [value] : []);
    for (const name of pipe.variables) {
      if (pipe.declares) this.#declare(name, value);
      else
        [...this.#scopes]
          .reverse()
          .find((scope) => scope.has(name))
          ?.set(name, value);
    }
    return value;
  }

  #command(command: Command, dot: unknown, piped: readonly unknown[]): unknown {
    const [first, ...rest] = command.operands;
    if (!first) return undefined;
    if (first.kind === "function") return this.#call(first.name, rest, dot, piped, command);
    const args = rest.map((operand) => this.#operand(operand, dot, []));
    return this.#operand(first, dot, [...args, ...piped]);
  }

  #call(
    name: string,
    rest: readonly Operand[],
    dot: unknown,
    piped: readonly unknown[],
    command: Pick<Command, "at" | "source">,
  ): unknown {
    const call = this.#functions[name];
    if (!call) throw new TemplateError(`template: :1: function ${JSON.stringify(name)} not defined`);
    // `and` and `or` stop at the first operand that decides.
    if (name === "and" || name === "or") {
      let value: unknown;
      for (const operand of rest) {
        value = this.#operand(operand, dot, []);
        if (this.#kinds.isTrue(value) === (name === "or")) return value;
      }
      return piped.length > 0 ? piped[0] : value;
    }
    const args = [...rest.map((operand) => this.#operand(operand, dot, [])), ...piped];
    try {
      return call(args, this.#kinds);
    } catch (error) {
      if (!(error instanceof TemplateError) || error.message.startsWith("template:")) throw error;
      throw new TemplateError(
        `template: ${this.#place(command.at)}: executing "" at <${command.source}>: ${error.message}`,
      );
    }
  }

  #operand(operand: Operand, dot: unknown, args: readonly unknown[]): unknown {
    switch (operand.kind) {
      case "dot":
        return dot;
      case "nil":
        return undefined;
      case "constant":
        return operand.value;
      case "function":
        return this.#call(operand.name, [], dot, [], {
          source: operand.name,
          at: Math.max(this.source.indexOf(operand.name), 0),
        });
      case "variable":
        return this.#variable(operand.name);
      case "pipe":
        return this.#pipe(operand.pipe, dot);
      case "field": {
        let value = this.#operand(operand.of, dot, []);
        for (const [at, name] of operand.names.entries())
          value = this.#field(value, name, at === operand.names.length - 1 ? args : [], operand);
        return value;
      }
    }
  }

  #variable(name: string): unknown {
    for (const scope of [...this.#scopes].reverse()) if (scope.has(name)) return scope.get(name);
    throw new TemplateError(`template: :1: undefined variable ${JSON.stringify(name)}`);
  }

  #field(of: unknown, name: string, args: readonly unknown[], operand: Extract<Operand, { kind: "field" }>): unknown {
    const where = () => `template: ${this.#place(operand.at)}: executing "" at <${operand.source}>: `;
    if (of === nilPointer) throw new TemplateError(`${where()}nil pointer evaluating ${name}`);
    if (!isObject(of)) {
      if (of === undefined && this.options.missingIsEmpty) return undefined;
      throw new TemplateError(
        `${where()}can't evaluate field ${name} in type ${of === undefined ? "interface {}" : typeof of}`,
      );
    }
    if (isRow(of)) {
      const field = Object.hasOwn(of, name) ? of[name] : undefined;
      if (field) return field(String(args[0] ?? ""));
      throw new TemplateError(
        `${where()}can't evaluate field ${name} in type ${this.options.typeName ?? "interface {}"}`,
      );
    }
    const found = this.#kinds.field(of, name);
    if (found) return found.value;
    if (this.options.missingIsEmpty || this.#kinds.isMap(of)) return undefined;
    throw new TemplateError(`${where()}map has no entry for key ${JSON.stringify(name)}`);
  }

  /** `name:line:column` as Go gives it; the template has no name. */
  #place(offset: number): string {
    const before = this.source.slice(0, offset).split("\n");
    return `:${before.length}:${Buffer.byteLength(before.at(-1) ?? "")}`;
  }
}
