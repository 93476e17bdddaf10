import { RegistryFault } from "../fault.ts";

/** `n` and `last` of a list (distribution specification, § Listing Tags), and the Link to what follows. */
export function page(
  all: readonly string[],
  query: URLSearchParams,
  path: string,
  limit: number,
): { readonly names: readonly string[]; readonly headers: Readonly<Record<string, string>> } {
  const asked = query.get("n");
  if (asked !== null && !/^\d{1,9}$/.test(asked)) {
    throw new RegistryFault("PAGINATION_NUMBER_INVALID", "invalid number of results requested", {
      detail: { n: asked },
    });
  }
  const count = asked === null ? limit : Number(asked);
  const last = query.get("last");
  const rest = last === null ? all : all.slice(firstAfter(all, last));
  const names = rest.slice(0, count);
  const end = names.at(-1);
  if (end === undefined || names.length === rest.length) return { names, headers: {} };
  const next = new URLSearchParams({ last: end, n: String(count) });
  return { names, headers: { link: `<${path}?${next}>; rel="next"` } };
}

/** `last` need not be there itself: the list goes on after where it would be. */
function firstAfter(sorted: readonly string[], last: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? "") <= last) low = middle + 1;
    else high = middle;
  }
  return low;
}
