import { parse } from "yaml";
import { type Digest, digestOf, HavreError } from "../base/mod.ts";

/** Where the catalogue's images live: a domain that no registry can have (ICANN keeps `.internal` for private use). */
export const CATALOGUE_DOMAIN = "catalogue.internal";

/** A root file system made of a distribution's packages. */
export interface RootRecipe {
  readonly suite: string;
  /** mmdebstrap's: `minbase` with a package manager, `essential` without, `extract` only the packages named. */
  readonly variant: "minbase" | "essential" | "extract";
  readonly packages: readonly string[];
  readonly command: readonly string[];
}

/** An image built on another of the catalogue. */
export interface DockerfileRecipe {
  readonly dockerfile: string;
  /** The context: content by path. */
  readonly files: Readonly<Record<string, string>>;
}

/** One image that an operator owns: what it is made of and who answers for it. */
export interface Entry {
  readonly name: string;
  readonly version: string;
  readonly owner: string;
  readonly summary: string;
  /** The day it was last changed: every time in the image is this, so that equal packages give equal digests. */
  readonly revision: string;
  /** How to use it, for people. */
  readonly usage: string;
  readonly recipe: RootRecipe | DockerfileRecipe;
  /** Of the entry's text: an image made of another text is out of date. */
  readonly digest: Digest;
  /** The file it comes from, for messages. */
  readonly file: string;
}

export function isRoot(recipe: Entry["recipe"]): recipe is RootRecipe {
  return "suite" in recipe;
}

/** `catalogue.internal/nginx:1.22`. */
export function entryReference({ name, version }: Pick<Entry, "name" | "version">): string {
  return `${CATALOGUE_DOMAIN}/${name}:${version}`;
}

/** The catalogue's images that an entry's Dockerfile stands on, as references. */
export function basesOf({ recipe }: Entry): readonly string[] {
  if (isRoot(recipe)) return [];
  const from = recipe.dockerfile.matchAll(/^\s*FROM\s+(\S+)/gim);
  return [
    ...new Set([...from].map((match) => match[1] ?? "").filter((name) => name.startsWith(`${CATALOGUE_DOMAIN}/`))),
  ];
}

const VARIANTS = ["minbase", "essential", "extract"] as const;
const FIELDS = ["name", "version", "owner", "summary", "revision", "usage", "root", "dockerfile", "files"];

type Fields = Readonly<Record<string, unknown>>;

/** Reads an entry. `invalid-argument` naming the file and the field. */
export function parseEntry(file: string, text: string): Entry {
  const wrong = (what: string, cause?: unknown) =>
    new HavreError("invalid-argument", `Catalogue entry ${file}: ${what}`, cause === undefined ? {} : { cause });
  let fields: Fields;
  try {
    // Versions such as 1.10 are text, and dates too.
    fields = asFields(parse(text, { schema: "failsafe" }));
  } catch (error) {
    throw wrong(error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error), error);
  }
  const unknown = Object.keys(fields).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) throw wrong(`unknown field ${unknown} (known: ${FIELDS.join(", ")})`);
  const text_ = (field: string, within: Fields = fields): string => {
    const value = within[field];
    if (typeof value !== "string" || value === "") throw wrong(`${field} is missing`);
    return value;
  };
  const list = (field: string, within: Fields): readonly string[] => {
    const value = within[field] ?? [];
    if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
      throw wrong(`${field} is no list of words`);
    return value;
  };
  const recipe = (): Entry["recipe"] => {
    if ((fields.root === undefined) === (fields.dockerfile === undefined))
      throw wrong("either root or dockerfile, not both");
    if (fields.root === undefined) {
      const files = asFields(fields.files ?? {});
      return {
        dockerfile: text_("dockerfile"),
        files: Object.fromEntries(Object.keys(files).map((path) => [path, text_(path, files)])),
      };
    }
    const root = asFields(fields.root);
    const variant = VARIANTS.find((one) => one === root.variant);
    if (!variant) throw wrong(`variant is one of ${VARIANTS.join(", ")}`);
    return { suite: text_("suite", root), variant, packages: list("packages", root), command: list("command", root) };
  };
  const revision = text_("revision");
  if (Number.isNaN(Date.parse(revision))) throw wrong("revision is no date (2026-01-31)");
  const [name, version] = [text_("name"), text_("version")];
  if (!/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(name)) throw wrong(`${name} is no name of an image`);
  if (!/^\w[\w.-]{0,127}$/.test(version)) throw wrong(`${version} is no tag`);
  return {
    name,
    version,
    owner: text_("owner"),
    summary: text_("summary"),
    revision,
    usage: typeof fields.usage === "string" ? fields.usage : "",
    recipe: recipe(),
    digest: digestOf(text),
    file,
  };
}

function asFields(value: unknown): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Error("not a mapping of fields");
}
