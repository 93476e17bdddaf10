/** What a TypeScript source imports. */
export interface Import {
  readonly path: string;
  readonly line: number;
  /** Erased when compiled: `import type`, `export type`, `import("…").T`. */
  readonly typeOnly: boolean;
  /** Loaded when reached, not before: `import("…")`, a worker. */
  readonly lazy: boolean;
}

// Formatted sources begin statements at the line's first column, comments and continuation lines never.
const STATEMENT = /^(?:import|export)(?<type>\s+type)?\s(?:[^"'`;]*?\sfrom\s)?\s*["'](?<path>[^"']+)["']/gm;
const TYPE_QUERY = /(?<type>\b)(?:import|typeof import)\(\s*["'](?<path>[^"']+)["']\s*\)\.[A-Z]/g;
const CALL = /(?:\b(?:import|require|import\.meta\.resolve)\(\s*|new URL\(\s*)["'](?<path>[^"']+)["']/g;

/** Every static, dynamic and worker import of a source, in order of kind. */
export function importsOf(source: string): readonly Import[] {
  const queries = [...matches(source, TYPE_QUERY)].map((found) => ({ ...found, typeOnly: true }));
  const queried = new Set(queries.map(({ line, path }) => `${line} ${path}`));
  const calls = [...matches(source, CALL)]
    .filter(({ line, path }) => !queried.has(`${line} ${path}`))
    .map((found) => ({ ...found, lazy: true }));
  return [...matches(source, STATEMENT), ...queries, ...calls];
}

function* matches(source: string, pattern: RegExp): Generator<Import> {
  for (const match of source.matchAll(pattern)) {
    const line = source.slice(0, match.index).split("\n").length;
    const { path = "", type = "" } = match.groups ?? {};
    yield { path, line, typeOnly: type.trim() === "type", lazy: false };
  }
}
