import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../base/mod.ts";
import type { Snapshotter } from "../snapshots/mod.ts";
import type { CatalogueItem } from "./item.ts";

/** One thing that is to hold of an image of the catalogue. */
export interface Finding {
  readonly check: string;
  readonly kept: boolean;
  /** What is wrong, path by path; or what was seen. */
  readonly detail: string;
}

const SETUID_BITS = 0o6000;
const CACHES = ["var/lib/apt/lists", "var/cache/apt", "var/cache/debconf", "tmp", "var/tmp"];
const MOST_SHOWN = 5;

/** Looks whether an image on this machine is what its entry promises. */
export async function verifyItem(
  { entry, image, state }: CatalogueItem,
  snapshots: Snapshotter,
): Promise<readonly Finding[]> {
  if (!image) return [{ check: "made", kept: false, detail: "not on this machine: havre catalogue build makes it" }];
  const top = image.chain.at(-1);
  const user = image.config.config?.User ?? "";
  return snapshots.withView(top, async (tree) => {
    const privileged = [...filesBelow(tree)].filter(({ mode }) => (mode & SETUID_BITS) !== 0).map(({ path }) => path);
    const caches = CACHES.flatMap((folder) => namesIn(join(tree, folder)).map((name) => `${folder}/${name}`));
    return [
      {
        check: "made of the present entry",
        kept: state === "current",
        detail: state === "current" ? `revision ${entry.revision}` : "the entry or a base has changed since",
      },
      finding("no setuid or setgid programs", privileged),
      finding("no package caches or temporary files", caches),
      {
        check: "a user without rights",
        kept: hasUser(tree),
        detail: user === "" ? "app is there, to be chosen with USER" : `runs as ${user}`,
      },
      { check: "an owner", kept: entry.owner !== "", detail: entry.owner },
    ];
  });
}

function finding(check: string, wrong: readonly string[]): Finding {
  const more = wrong.length > MOST_SHOWN ? ` and ${wrong.length - MOST_SHOWN} more` : "";
  return { check, kept: wrong.length === 0, detail: wrong.slice(0, MOST_SHOWN).join(", ") + more };
}

function* filesBelow(root: string, below = ""): Generator<{ readonly path: string; readonly mode: number }> {
  for (const name of namesIn(join(root, below))) {
    const path = below === "" ? name : `${below}/${name}`;
    const stat = lstatSync(join(root, path));
    if (stat.isDirectory()) yield* filesBelow(root, path);
    else if (stat.isFile()) yield { path, mode: stat.mode };
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return lstatSync(folder).isDirectory() ? readdirSync(folder) : [];
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return [];
    throw error;
  }
}

function hasUser(tree: string): boolean {
  const path = join(tree, "etc/passwd");
  // A link could lead out of the tree.
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  return readFileSync(path, "utf8")
    .split("\n")
    .some((line) => Number(line.split(":")[2] ?? 0) >= 10_000 && !line.startsWith("nobody:"));
}
