import { Folder, type OpenFile } from "../diff/folder.ts";
import { readApkDatabase } from "./apk.ts";
import { readDpkgStatus } from "./dpkg.ts";
import { readGoBinary } from "./go-binary.ts";
import { readPackageJson, readPythonMetadata } from "./languages.ts";
import { type Distribution, type Inventory, type Package, packageUrl } from "./package.ts";
import { readRpmHeader } from "./rpm.ts";

const MAX_DATABASE = 256 << 20;
const MAX_TEXT = 1 << 20;
/** Files between which others may run. */
const BREATH = 500;
/** A folder deeper than this holds no package that anybody could use. */
const DEEPEST = 64;

/** Reads the rows of a table of another program's database file: the values of one column. */
export type ReadColumn = (path: string, table: string, column: string) => readonly Uint8Array[];

/** Looks through a tree for software: packages of the distribution, of Node and Python, and Go programs. `root`: a read-only view. */
export async function scanTree(root: string, readColumn: ReadColumn, signal?: AbortSignal): Promise<Inventory> {
  const scan = new Scan(root, readColumn, signal);
  using top = Folder.open(root);
  await scan.folder(top, "", 0);
  return { distribution: scan.distribution, packages: scan.packages() };
}

class Scan {
  readonly #root: string;
  readonly #readColumn: ReadColumn;
  readonly #signal: AbortSignal | undefined;
  readonly #found = new Map<string, Package>();
  #seen = 0;
  #systems = new Map<string, Distribution>();

  constructor(root: string, readColumn: ReadColumn, signal: AbortSignal | undefined) {
    this.#root = root;
    this.#readColumn = readColumn;
    this.#signal = signal;
  }

  get distribution(): Distribution | undefined {
    return this.#systems.get("etc/os-release") ?? this.#systems.get("usr/lib/os-release");
  }

  packages(): readonly Package[] {
    const keyed = [...this.#found.values()].map((one) => [packageUrl(one, undefined) + one.place, one] as const);
    return keyed.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  }

  async folder(folder: Folder, path: string, depth: number): Promise<void> {
    for (const name of folder.names()) {
      if (++this.#seen % BREATH === 0) await new Promise((resolve) => setImmediate(resolve));
      this.#signal?.throwIfAborted();
      const place = path === "" ? name : `${path}/${name}`;
      const stat = folder.stat(name);
      if (stat?.isDirectory() && depth < DEEPEST) {
        using inner = folder.folder(name);
        if (inner) await this.folder(inner, place, depth + 1);
      } else if (stat?.isFile()) {
        using file = folder.file(name);
        if (file) this.#file(file, place, Number(stat.mode), Number(stat.size));
      }
    }
  }

  #file(file: OpenFile, place: string, mode: number, size: number): void {
    if (place === "etc/os-release" || place === "usr/lib/os-release") this.#system(file, place);
    else if (place === "var/lib/dpkg/status" || isPartOfDpkg(place)) {
      this.#add(readDpkgStatus(file.text(MAX_DATABASE) ?? "", place));
    } else if (place === "lib/apk/db/installed" || place === "usr/lib/apk/db/installed") {
      this.#add(readApkDatabase(file.text(MAX_DATABASE) ?? "", place));
    } else if (/^(var\/lib|usr\/lib\/sysimage)\/rpm\/rpmdb\.sqlite$/.test(place)) {
      const headers = this.#readColumn(`${this.#root}/${place}`, "Packages", "blob");
      this.#add(headers.flatMap((header) => readRpmHeader(header, place) ?? []));
    } else if (/(^|\/)node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(place)) {
      this.#add([readPackageJson(file.text(MAX_TEXT) ?? "", place)]);
    } else if (/\.(dist-info\/METADATA|egg-info\/PKG-INFO|egg-info)$/.test(place)) {
      this.#add([readPythonMetadata(file.text(MAX_TEXT) ?? "", place)]);
    } else if ((mode & 0o111) !== 0 && size > 4096) {
      this.#add(readGoBinary((position, length) => file.at(position, length), place));
    }
  }

  #system(file: OpenFile, place: string): void {
    const text = file.text(MAX_TEXT) ?? "";
    const field = (name: string) => new RegExp(`^${name}=["']?(.*?)["']?$`, "m").exec(text)?.[1] ?? "";
    this.#systems.set(place, { id: field("ID") || "linux", version: field("VERSION_ID"), name: field("PRETTY_NAME") });
  }

  /** The same package at two places is two, with two names of one file one. */
  #add(packages: readonly (Package | undefined)[]): void {
    for (const one of packages) if (one) this.#found.set(`${packageUrl(one, undefined)} ${one.place}`, one);
  }
}

/** Distroless images have a file for each package. */
function isPartOfDpkg(place: string): boolean {
  return place.startsWith("var/lib/dpkg/status.d/") && !place.endsWith(".md5sums");
}
