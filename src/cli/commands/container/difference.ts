import type { Client } from "../../../client/mod.ts";
import type { Context } from "../../context.ts";
import { printJson } from "../../output/format.ts";
import { humanSize } from "../../output/units.ts";

interface FileState {
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly linkTarget?: string;
}

/** `GET /havre/v1/difference`. */
interface Difference {
  readonly files: readonly {
    readonly path: string;
    readonly kind: "added" | "modified" | "deleted";
    readonly before?: FileState;
    readonly after?: FileState;
    readonly what?: readonly string[];
  }[];
  readonly config: readonly { readonly field: string; readonly before?: unknown; readonly after?: unknown }[];
  readonly packages: readonly { readonly name: string; readonly before?: string; readonly after?: string }[];
}

const LETTER = { added: "A", modified: "C", deleted: "D" } as const;
const COLOUR = { added: "\x1b[32m", modified: "\x1b[33m", deleted: "\x1b[31m" } as const;
const PLAIN = "\x1b[0m";

/** `havre diff A B`: packages and configuration first, since they explain the files. */
export async function printDifference(
  context: Context,
  client: Client,
  before: string,
  after: string,
  json: boolean,
): Promise<number> {
  const difference = await client.json<Difference>("GET", "/havre/v1/difference", { query: { before, after } });
  if (json) {
    printJson(context.out, difference);
    return 0;
  }
  const { out } = context;
  const section = (title: string, lines: readonly string[]) => {
    if (lines.length > 0) out.write(`${title}\n${lines.join("\n")}\n\n`);
  };
  const mark = (kind: keyof typeof LETTER) =>
    out.isTerminal ? `${COLOUR[kind]}${LETTER[kind]}${PLAIN}` : LETTER[kind];
  const change = (old: unknown, now: unknown) =>
    old === undefined ? "added" : now === undefined ? "deleted" : "modified";
  section(
    "Packages",
    difference.packages.map(
      (item) => `${mark(change(item.before, item.after))} ${item.name} ${pair(item.before, item.after)}`,
    ),
  );
  section(
    "Configuration",
    difference.config.map(
      (item) => `${mark(change(item.before, item.after))} ${item.field}: ${pair(item.before, item.after)}`,
    ),
  );
  section(
    "Files",
    difference.files.map((file) => `${mark(file.kind)} ${file.path}${fileDetail(file)}`),
  );
  if (difference.files.length + difference.config.length + difference.packages.length === 0) out.line("No difference");
  return 0;
}

function pair(before: unknown, after: unknown): string {
  const show = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  if (before === undefined) return show(after) ?? "";
  if (after === undefined) return show(before) ?? "";
  return `${show(before)} → ${show(after)}`;
}

function fileDetail({ kind, before, after, what = [] }: Difference["files"][number]): string {
  const one = after ?? before;
  if (kind !== "modified" || !before || !after)
    return one?.type === "file" ? ` (${humanSize(one.size, 3)}, ${mode(one)})` : "";
  const details = what.map((word) => {
    if (word === "mode") return `mode ${mode(before)} → ${mode(after)}`;
    if (word === "owner") return `owner ${before.uid}:${before.gid} → ${after.uid}:${after.gid}`;
    if (word === "target") return `target ${before.linkTarget} → ${after.linkTarget}`;
    if (word === "type") return `${before.type} → ${after.type}`;
    if (word === "content" && before.size !== after.size)
      return `${humanSize(before.size, 3)} → ${humanSize(after.size, 3)}`;
    return word;
  });
  return details.length > 0 ? ` (${details.join(", ")})` : "";
}

const mode = (state: FileState) => state.mode.toString(8).padStart(4, "0");
