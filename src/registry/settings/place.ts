import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import { HavreError } from "../../base/mod.ts";

/**
 * A value of a YAML file that knows where it stands: each reader checks what it reads and says, with line and column,
 * what is wrong and what was expected. Scalars are text: the readers know their types.
 */
export class Place {
  readonly #node: Node | null;
  readonly #path: string;
  readonly #locate: (offset: number) => string;
  readonly #offset: number;

  private constructor(node: Node | null, path: string, offset: number, locate: (offset: number) => string) {
    this.#node = node;
    this.#path = path;
    this.#offset = node?.range?.[0] ?? offset;
    this.#locate = locate;
  }

  /** `invalid-argument` when it is no YAML. `file` is how messages name it. */
  static parse(file: string, text: string): Place {
    const lines = new LineCounter();
    const document = parseDocument(text, { schema: "failsafe", lineCounter: lines, prettyErrors: false });
    const locate = (offset: number) => {
      const { line, col } = lines.linePos(offset);
      return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
    };
    const [error] = document.errors;
    if (error) throw new HavreError("invalid-argument", `${locate(error.pos[0])}: ${error.message}`);
    return new Place(document.contents, "", 0, locate);
  }

  fail(what: string, hint?: string): never {
    const path = this.#path === "" ? "" : `${this.#path}: `;
    throw new HavreError(
      "invalid-argument",
      `${this.#locate(this.#offset)}: ${path}${what}`,
      hint === undefined ? {} : { hint },
    );
  }

  /** A mapping that has only these keys. */
  fields<K extends string>(known: readonly K[]): Partial<Record<K, Place>> {
    const found: Partial<Record<K, Place>> = {};
    for (const [key, place, keyPlace] of this.#entries()) {
      const name = known.find((one) => one === key);
      if (name === undefined)
        return keyPlace.fail(`unknown key ${JSON.stringify(key)}`, `Known are ${known.join(", ")}`);
      found[name] = place;
    }
    return found;
  }

  /** A mapping with keys of the user's choice. */
  mapping(): readonly (readonly [key: string, value: Place])[] {
    return this.#entries().map(([key, value]) => [key, value]);
  }

  list(): readonly Place[] {
    if (!isSeq(this.#node)) this.fail("expected a list");
    const items = this.#node.items as Node[];
    return items.map((item, index) => this.#at(item, `${this.#path}[${index}]`, this.#offset));
  }

  text(): string {
    if (isScalar(this.#node) && typeof this.#node.value === "string" && this.#node.value !== "")
      return this.#node.value;
    return this.fail("expected a text");
  }

  texts(): readonly string[] {
    return this.list().map((place) => place.text());
  }

  /** What `read` makes of the text; undefined is refused as not being `expected`. */
  read<T>(expected: string, read: (text: string) => T | undefined): T {
    const text = this.text();
    return read(text) ?? this.fail(`${JSON.stringify(text)} is not ${expected}`);
  }

  oneOf<T extends string>(words: readonly T[]): T {
    return this.read(`one of ${words.join(", ")}`, (text) => words.find((word) => word === text));
  }

  #entries(): readonly (readonly [key: string, value: Place, keyPlace: Place])[] {
    if (!isMap(this.#node)) this.fail("expected a mapping");
    return (this.#node.items as Pair<Node, Node | null>[]).map(({ key, value }) => {
      const name = isScalar(key) ? String(key.value) : this.fail("expected keys that are texts");
      const path = this.#path === "" ? name : `${this.#path}.${name}`;
      const at = key.range?.[0] ?? this.#offset;
      return [name, this.#at(value, path, at), this.#at(key, this.#path, at)];
    });
  }

  #at(node: Node | null, path: string, offset: number): Place {
    return new Place(node, path, offset, this.#locate);
  }
}
