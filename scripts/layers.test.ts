import { describe, expect, test } from "bun:test";
import { globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { importsOf } from "./imports.ts";
import { BUN_MODULES, COMMON, ENTRY_IMPORTS, LAYERS } from "./layers.ts";

const home = resolve(import.meta.dirname, "..");

/** As seen from `src/`: it holds the version, which `base` tells the others. */
const MANIFEST = "../package.json";

/** The rule an import breaks, or undefined. Both paths are below `src/`. */
function broken(from: string, to: string, typeOnly: boolean): string | undefined {
  const [own, target] = [folderOf(from), folderOf(to)];
  if (own === target) return undefined;
  if (to === MANIFEST && own === "base") return undefined;
  if (to !== `${target}/mod.ts`) return `reaches into ${target}/ past its mod.ts`;
  if (own === "") return ENTRY_IMPORTS.includes(target) ? undefined : `the entry may not import ${target}`;
  const layer = LAYERS[own];
  if (layer === undefined) return `${own} is not in scripts/layers.ts`;
  if (own !== "base" && target === "base") return undefined;
  if (own !== "base" && own !== "spec" && COMMON.includes(target)) return undefined;
  if (layer.imports.includes(target)) return undefined;
  if (!layer.interfaces?.includes(target)) return `${own} may not import ${target}`;
  return typeOnly ? undefined : `${own} may import only types of ${target}`;
}

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly line: number;
  readonly typeOnly: boolean;
  readonly lazy: boolean;
}

// Tests, and what they share in `testing/` folders, put things together as they need.
const sources = globSync("src/**/*.ts", { cwd: home })
  .map((path) => relative("src", path))
  .filter((path) => !path.endsWith(".test.ts") && !path.includes("/testing/"))
  .sort();
const imported = sources.flatMap((from) =>
  importsOf(readFileSync(join(home, "src", from), "utf8")).map((found) => ({ from, ...found })),
);
const edges: readonly Edge[] = imported
  .filter(({ path }) => path.startsWith("."))
  .map(({ path, ...rest }) => ({ ...rest, to: join(dirname(rest.from), path) }));

describe("the table", () => {
  test("names every folder of src, and no folder that is neither there nor to come", () => {
    const folders = readdirSync(join(home, "src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(folders.filter((name) => LAYERS[name] === undefined)).toEqual([]);
  });

  test("goes only downwards, so that no cycle can be", () => {
    const order = Object.keys(LAYERS);
    const upwards = Object.entries(LAYERS).flatMap(([name, { imports, interfaces = [] }]) =>
      [...imports, ...interfaces]
        .filter((target) => !(order.indexOf(target) < order.indexOf(name) && order.includes(target)))
        .map((target) => `${name} → ${target}`),
    );
    expect(upwards).toEqual([]);
  });

  test("rules as meant", () => {
    expect(broken("engine/a.ts", "engine/b/c.ts", false)).toBeUndefined();
    expect(broken("engine/a.ts", "runtime/mod.ts", false)).toBeUndefined();
    expect(broken("engine/a.ts", "runtime/conmon.ts", true)).toBe("reaches into runtime/ past its mod.ts");
    expect(broken("engine/a.ts", "kernel/mod.ts", true)).toBe("engine may not import kernel");
    expect(broken("api/docker/a.ts", "engine/mod.ts", true)).toBeUndefined();
    expect(broken("api/docker/a.ts", "engine/mod.ts", false)).toBe("api may import only types of engine");
    expect(broken("api/a.ts", "daemon/mod.ts", true)).toBe("api may not import daemon");
    expect(broken("base/a.ts", "spec/mod.ts", true)).toBe("base may not import spec");
    expect(broken("spec/a.ts", "base/mod.ts", false)).toBeUndefined();
    expect(broken("main.ts", "engine/mod.ts", false)).toBe("the entry may not import engine");
    expect(broken("main.ts", "daemon/mod.ts", false)).toBeUndefined();
  });
});

describe("the sources", () => {
  test("follow the table", () => {
    const offences = edges.flatMap(({ from, to, line, typeOnly }) => {
      const rule = broken(from, to, typeOnly);
      return rule === undefined ? [] : [`src/${from}:${line} → src/${to}: ${rule}`];
    });
    expect(offences).toEqual([]);
  });

  test("import files that are there", () => {
    const there = new Set(globSync("src/**/*", { cwd: home }).map((path) => relative("src", path)));
    expect(
      edges
        .filter(({ to }) => to !== MANIFEST && !there.has(to))
        .map(({ from, to, line }) => `src/${from}:${line} → ${to}`),
    ).toEqual([]);
  });

  test("have no cycle of files, types and lazy imports left out", () => {
    const next = Map.groupBy(
      edges.filter(({ typeOnly, lazy }) => !typeOnly && !lazy),
      ({ from }) => from,
    );
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
      if (done.has(path) || trail.includes(path)) return;
      for (const { to } of next.get(path) ?? []) visit(to, [...trail, path]);
      done.add(path);
    };
    for (const path of sources) visit(path, []);
    expect(cycles).toEqual([]);
  });

  test("keep Bun's own modules behind their adapters, and tests' modules out", () => {
    const offences = imported
      .filter(({ path }) => path === "bun:test" || BUN_MODULES[path] !== undefined)
      .filter(({ from, path }) => !BUN_MODULES[path]?.includes(folderOf(from)))
      .map(({ from, path, line }) => `src/${from}:${line} → ${path}`);
    expect(offences).toEqual([]);
  });

  test("say in each folder's mod.ts what it is", () => {
    const folders = [...new Set(sources.map(folderOf))].filter((folder) => folder !== "");
    const silent = folders.filter((folder) => {
      const path = `${folder}/mod.ts`;
      return !sources.includes(path) || !readFileSync(join(home, "src", path), "utf8").startsWith("/**");
    });
    expect(silent).toEqual([]);
  });

  test("are kebab-case and short enough to read, or listed here with the reason", () => {
    const long: Readonly<Record<string, string>> = {
      "runtime/conmon.ts": "one method for each ability of the runtime, each short",
      "builder/buildkit/wire/control.ts": "made by scripts/proto.sh",
    };
    const unfit = sources.filter((path) => {
      const lines = readFileSync(join(home, "src", path), "utf8").split("\n").length;
      return (
        !/^(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)*[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/.test(path) || (lines > 401 && !long[path])
      );
    });
    expect(unfit).toEqual([]);
  });
});

describe("the import reader", () => {
  test("sees every form", () => {
    const source = `import a from "./a.ts";
import type { B } from './b.ts';
import {
  c,
  type D,
} from "./c.ts";
import "./side.ts";
export * from "./e.ts";
export type { F } from "./f.ts";
const lazy = await import("./lazy.ts");
let g: import("./g.ts").G;
new Worker(new URL("./h-worker.ts", import.meta.url));
export const text = 'x';
 * import no from "./comment.ts";
`;
    expect(importsOf(source).map(({ path, typeOnly }) => (typeOnly ? `type ${path}` : path))).toEqual([
      "./a.ts",
      "type ./b.ts",
      "./c.ts",
      "./side.ts",
      "./e.ts",
      "type ./f.ts",
      "type ./g.ts",
      "./lazy.ts",
      "./h-worker.ts",
    ]);
    expect(importsOf(source).find(({ path }) => path === "./c.ts")?.line).toBe(3);
  });
});
