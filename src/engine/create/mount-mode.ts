/** Words that exclude each other within one mode; a mode has at most one of each family. */
const FAMILIES: readonly (readonly string[])[] = [
  ["rw", "ro"],
  ["z", "Z"],
  ["private", "rprivate", "shared", "rshared", "slave", "rslave"],
  ["nocopy"],
  ["consistent", "cached", "delegated"],
];
const PROPAGATIONS = FAMILIES[2] ?? [];

/** Whether `mode` is a mode of a bind or volume: known words, none contradicting another. */
export function isMountMode(mode: string): boolean {
  if (mode === "") return true;
  const words = mode.split(",");
  const known = words.every((word) => FAMILIES.some((family) => family.includes(word)));
  return known && FAMILIES.every((family) => words.filter((word) => family.includes(word)).length <= 1);
}

export function isWritable(mode: string): boolean {
  return !mode.split(",").includes("ro");
}

/** The propagation word in `mode`, or undefined. */
export function propagationIn(mode: string): string | undefined {
  return mode.split(",").find((word) => PROPAGATIONS.includes(word));
}

export function hasCopyWord(mode: string): boolean {
  return mode.split(",").includes("nocopy");
}
