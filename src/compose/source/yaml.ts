import { isAlias, isMap, isScalar, isSeq, type Pair, type ParsedNode, parseAllDocuments, visit } from "yaml";
import { HavreError } from "../../base/mod.ts";
import { type Entry, isList, isMapping, type MergeTag, type Node, type Source } from "./node.ts";
import { fail, problemError } from "./problem.ts";
import { resolvePlain } from "./scalar.ts";

/** A few lines that grow to gigabytes are refused: so many values one file may have once its aliases are followed. */
const MOST_NODES = 200_000;

/**
 * Reads the documents of a YAML file into nodes. `invalid-argument`, with line and column, for what is no YAML, for keys
 * given twice and for aliases that lead nowhere or into themselves. Source: YAML 1.2.2; `<<` as in YAML 1.1.
 */
export function parseYaml(source: Source): Node[] {
  const documents = parseAllDocuments(source.text, {
    // Scalars stay text: Compose has its own idea of their types.
    schema: "failsafe",
    merge: false,
    logLevel: "error",
    prettyErrors: false,
    strict: true,
    customTags: (tags) => [...tags, plainTag("!reset"), plainTag("!override")],
  });
  if ("empty" in documents) return [];
  return documents.flatMap((document) => {
    const errors = document.errors.map(({ message, pos }) => ({
      at: { source, offset: pos[0] },
      path: [],
      what: explain(message),
    }));
    if (errors.length > 0) throw problemError(errors.slice(0, 1));
    return document.contents === null ? [] : [new Reader(source, anchorsOf(document)).read(document.contents)];
  });
}

const plainTag = (tag: string) => ({ tag, resolve: (text: string) => text });

function explain(message: string): string {
  if (/^Tabs are not allowed/.test(message)) return "indent with spaces: YAML does not allow tabs";
  if (/^Nested mappings are not allowed in compact/.test(message))
    return "a key below or beside a value: is the indentation right? A text with ': ' in it needs quotes";
  const first = message.charAt(0).toLowerCase() + message.slice(1);
  return first.replace(/ at line \d+, column \d+:?$/, "").replace(/\.$/, "");
}

type Document = Parameters<typeof visit>[0];

function anchorsOf(document: Document): ReadonlyMap<string, ParsedNode> {
  const anchors = new Map<string, ParsedNode>();
  visit(document, {
    Node: (_key, node) => {
      if (!isAlias(node) && "anchor" in node && node.anchor) anchors.set(node.anchor, node as ParsedNode);
    },
  });
  return anchors;
}

class Reader {
  #count = 0;
  readonly #open = new Set<ParsedNode>();

  constructor(
    readonly source: Source,
    readonly anchors: ReadonlyMap<string, ParsedNode>,
  ) {}

  read(node: ParsedNode | null, offset = 0): Node {
    if (node === null) return { value: null, at: { source: this.source, offset } };
    const at = { source: this.source, offset: node.range[0] };
    if (++this.#count > MOST_NODES)
      throw new HavreError("invalid-argument", `${this.source.path}: more than ${MOST_NODES} values`);
    if (isAlias(node)) return this.#alias(node.source, at);
    const tag = tagOf(node.tag);
    const mark = tag === undefined ? {} : { tag };
    if (isScalar(node)) {
      const text = String(node.value ?? "");
      const isPlain = node.type === "PLAIN" && node.tag !== "tag:yaml.org,2002:str";
      return { value: isPlain ? resolvePlain(text) : text, at, ...mark };
    }
    this.#open.add(node);
    const value = isSeq(node)
      ? node.items.map((item) => this.read(item as ParsedNode))
      : isMap(node)
        ? this.#mapping(node.items as Pair<ParsedNode, ParsedNode | null>[])
        : null;
    this.#open.delete(node);
    return { value, at, ...mark };
  }

  #alias(name: string, at: Node["at"]): Node {
    const target = this.anchors.get(name);
    if (!target)
      fail(
        at,
        [],
        `no anchor &${name}`,
        [...this.anchors.keys()].length === 0 ? undefined : `This file has &${[...this.anchors.keys()].join(", &")}`,
      );
    if (this.#open.has(target)) fail(at, [], `*${name} stands inside &${name}: it would never end`);
    return this.read(target);
  }

  #mapping(pairs: readonly Pair<ParsedNode, ParsedNode | null>[]): Map<string, Entry> {
    const mapping = new Map<string, Entry>();
    const merged: Node[] = [];
    for (const { key, value } of pairs) {
      const keyAt = { source: this.source, offset: key.range[0] };
      if (!isScalar(key)) fail(keyAt, [], "a key must be text");
      const name = String(key.value ?? "");
      const node = this.read(value, key.range[1]);
      if (name === "<<" && key.type === "PLAIN") merged.push(...(isList(node.value) ? node.value : [node]));
      else mapping.set(name, { keyAt, node });
    }
    // A key's own value goes before a merged one, an earlier merged one before a later.
    for (const { value, at } of merged) {
      if (!isMapping(value)) fail(at, [], "<< takes a mapping, or a list of them");
      for (const [name, entry] of value) if (!mapping.has(name)) mapping.set(name, entry);
    }
    return mapping;
  }
}

function tagOf(tag: string | undefined): MergeTag | undefined {
  return tag === "!reset" ? "reset" : tag === "!override" ? "override" : undefined;
}
