/** As many CPUs as Linux is built for; a larger number in a list is a mistake. */
const HIGHEST = 8192;

/**
 * The numbers of a list as the kernel writes CPU sets: `0-3,7`. Throws an Error whose message is Docker's; the caller
 * says of what.
 */
export function parseIdList(text: string, highest = HIGHEST): Set<number> {
  const ids = new Set<number>();
  if (text === "") return ids;
  for (const part of text.split(",")) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === undefined || last === undefined || Number(last) < Number(first))
      throw new Error(`invalid format: ${text}`);
    if (Number(last) > highest) throw new Error(`value of out range, maximum is ${highest}`);
    for (let id = Number(first); id <= Number(last); id++) ids.add(id);
  }
  return ids;
}

/** Whether every number of `wanted` is in `available`. An unknown availability allows all. */
export function idsAvailable(wanted: string, available: string): boolean {
  const ids = parseIdList(wanted);
  if (available === "") return true;
  const there = parseIdList(available, Number.MAX_SAFE_INTEGER);
  return [...ids].every((id) => there.has(id));
}
