import { HavreError } from "../../base/mod.ts";
import type { MountRequest } from "../../spec/mod.ts";

/** Words that take each other's place: the last one given holds. */
const OPPOSITES: readonly (readonly string[])[] = [
  ["ro", "rw"],
  ["suid", "nosuid"],
  ["dev", "nodev"],
  ["exec", "noexec"],
  ["sync", "async"],
  ["dirsync"],
  ["remount"],
  ["mand", "nomand"],
  ["atime", "noatime"],
  ["diratime", "nodiratime"],
  ["bind", "rbind"],
  ["private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable"],
  ["relatime", "norelatime"],
  ["strictatime", "nostrictatime"],
];
const DATA_KEYS = new Set(["mode", "uid", "gid", "size", "nr_inodes", "nr_blocks", "mpol"]);
const DEFAULTS = ["noexec", "nosuid", "nodev", "rprivate"];

function familyOf(word: string): string {
  if (word.includes("=")) return word.slice(0, word.indexOf("="));
  return OPPOSITES.find((family) => family.includes(word))?.join("/") ?? "";
}

/** Options of a tmpfs with the safe defaults below them. `invalid-argument` for a word that tmpfs does not know. */
export function mergeTmpfsOptions(data: string): string[] {
  const given = data === "" ? [] : data.split(",");
  for (const word of given) {
    const isData = word.includes("=");
    if (isData ? !DATA_KEYS.has(familyOf(word)) : familyOf(word) === "" && word !== "defaults")
      throw new HavreError("invalid-argument", `invalid tmpfs option ${JSON.stringify(word)}`, {
        hint: `Known are rw, ro, exec, suid, dev and their opposites, and ${[...DATA_KEYS].join("=, ")}=`,
      });
  }
  const last = new Map<string, string>();
  for (const word of [...DEFAULTS, ...given]) {
    if (word === "defaults") continue;
    const family = familyOf(word);
    last.delete(family);
    last.set(family, word);
  }
  return [...last.values()];
}

const UNITS: readonly (readonly [suffix: string, bytes: number])[] = [
  ["g", 1 << 30],
  ["m", 1 << 20],
  ["k", 1 << 10],
];

/** The mount(8) words for the tmpfs form of `--mount`. */
export function tmpfsData({ ReadOnly, TmpfsOptions }: MountRequest): string {
  const words: string[] = [];
  if (ReadOnly) words.push("ro");
  if (TmpfsOptions?.Mode) words.push(`mode=${TmpfsOptions.Mode.toString(8)}`);
  const size = TmpfsOptions?.SizeBytes;
  if (size) {
    const unit = UNITS.find(([, bytes]) => size % bytes === 0);
    words.push(unit ? `size=${size / unit[1]}${unit[0]}` : `size=${size}`);
  }
  return words.join(",");
}
