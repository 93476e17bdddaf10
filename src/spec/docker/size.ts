const POWERS = ["", "k", "m", "g", "t", "p"];

/**
 * Bytes of `512`, `128m`, `1.5g`, `2 GiB` as go-units reads them: every unit is a power of `base`, 1024 for memory
 * (`RAMInBytes`) and 1000 for what lies on a disk (`FromHumanSize`). undefined when it is not a size.
 */
export function parseSize(text: string, base: 1000 | 1024): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text);
  if (!match) return undefined;
  return Math.trunc(Number(match[1]) * base ** POWERS.indexOf((match[2] ?? "").toLowerCase()));
}
