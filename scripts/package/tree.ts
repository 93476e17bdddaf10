/** What every package holds: program, completions, manual pages, licences, unit; each a file with its mode. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { commandTable } from "../../src/cli/commands/table.ts";
import { globalFlags } from "../../src/cli/main.ts";
import { manualPages } from "./man.ts";

export const home = resolve(import.meta.dirname, "../..");
export const program = join(home, "build/havre");
export const files = join(import.meta.dirname, "files");

/** Below a prefix such as `/usr`. */
export interface Tree {
  /** Path to contents; a program is `copyOf` a file. */
  readonly [path: string]:
    | { readonly copyOf: string }
    | { readonly content: string | Uint8Array; readonly mode?: number };
}

/** The files of a prefix. `date`: unix seconds of all that carries a time. */
export async function commonTree(version: string, date: number): Promise<Tree> {
  const day = new Date(date * 1000).toISOString().slice(0, 10);
  const pages = await manualPages(commandTable, { version, date: day, globals: globalFlags });
  return {
    "bin/havre": { copyOf: program },
    "share/bash-completion/completions/havre": { content: completion("bash") },
    "share/zsh/vendor-completions/_havre": { content: completion("zsh") },
    "share/fish/vendor_completions.d/havre.fish": { content: completion("fish") },
    "share/doc/havre/copyright": { content: copyright() },
    "share/doc/havre/changelog.gz": { content: compressed(readFileSync(join(home, "CHANGELOG.md"), "utf8")) },
    ...Object.fromEntries(pages.map(({ name, text }) => [`share/man/man1/${name}.gz`, { content: compressed(text) }])),
  };
}

/** Writes a tree below a folder; every file and folder gets the same time, so that the same tree makes the same archive. */
export function writeTree(folder: string, tree: Tree, date: number): void {
  for (const [path, file] of Object.entries(tree)) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    if ("copyOf" in file) copyFileSync(file.copyOf, target);
    else writeFileSync(target, file.content);
    chmodSync(target, "copyOf" in file ? 0o755 : (file.mode ?? 0o644));
  }
  chmodSync(folder, 0o755);
  for (const path of globSync("**", { cwd: folder })) utimesSync(join(folder, path), date, date);
}

/** Runs a program of the build; its own words are the error when it fails. */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): string {
  const done = spawnSync(command, args, {
    cwd: options.cwd ?? home,
    env: { ...process.env, ...options.env },
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (done.status === 0) return done.stdout;
  throw new Error(`${command} ${args.join(" ")}: ${done.error?.message ?? done.stderr}`);
}

function completion(shell: string): string {
  return run(program, ["completion", shell]);
}

/** The same text makes the same bytes. */
export function compressed(text: string): Uint8Array {
  return gzipSync(text, { level: 9 });
}

interface LockedPackage {
  readonly version: string;
  readonly dev?: boolean;
  readonly license?: string;
}

/** Bun's packages on npm come without its licences: those are told by a file of ours. */
const BUN = /^node_modules\/(bun|@oven\/.*)$/;

/** Havre's own licence, and those of what is compiled into the program. Source: Debian's machine-readable copyright format 1.0. */
function copyright(): string {
  const { packages } = JSON.parse(readFileSync(join(home, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const inside = Object.entries(packages).filter(
    ([path, { dev }]) => path !== "" && !dev && !BUN.test(path) && existsSync(join(home, path)),
  );
  const notices = inside.map(([path, { version, license = "see the package" }]) => {
    const [found] = globSync("LICEN[SC]E*", { cwd: join(home, path) });
    const text = found === undefined ? "" : `\n\n${readFileSync(join(home, path, found), "utf8").trim()}`;
    return `${path.slice(path.lastIndexOf("node_modules/") + 13)} ${version}, ${license}${text}`;
  });
  return [
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/",
    "Upstream-Name: Havre",
    "",
    "Files: *",
    "Copyright: the authors of Havre",
    "License: Apache-2.0",
    " On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.",
    "Comment: The program contains these works as well:",
    ...[...notices, readFileSync(join(files, "bun-notices"), "utf8").trim()].flatMap((notice) => [
      " .",
      ...notice.split("\n").map((row) => (row.trim() === "" ? " ." : ` ${row}`)),
    ]),
    "",
  ].join("\n");
}
