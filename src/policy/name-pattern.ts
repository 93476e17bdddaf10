/**
 * Patterns of names with slashes, as in a registry's rules: `*` is any part of one component, `**` any number of
 * components, none included. All else is itself.
 */
export function namePattern(pattern: string): (name: string) => boolean {
  const parts = pattern.split("/").map((part) => (part === "**" ? undefined : componentMatcher(part)));
  return (name) => matches(parts, name.split("/"));
}

type Part = ((component: string) => boolean) | undefined;

/** Which parts can be reached, component by component: time is bounded by parts × components. */
function matches(parts: readonly Part[], components: readonly string[]): boolean {
  let reached = reach(parts, new Set([0]));
  for (const component of components) {
    const next = new Set<number>();
    for (const index of reached) {
      if (index === parts.length) continue;
      const part = parts[index];
      if (part === undefined) next.add(index);
      else if (part(component)) next.add(index + 1);
    }
    reached = reach(parts, next);
  }
  return reached.has(parts.length);
}

/** `**` may stand for nothing. */
function reach(parts: readonly Part[], indexes: Set<number>): Set<number> {
  for (const index of indexes) if (index < parts.length && parts[index] === undefined) indexes.add(index + 1);
  return indexes;
}

function componentMatcher(part: string): (component: string) => boolean {
  const [first = "", ...rest] = part.split("*");
  if (rest.length === 0) return (component) => component === part;
  const last = rest.pop() ?? "";
  return (component) => {
    if (!component.startsWith(first) || !component.endsWith(last)) return false;
    const end = component.length - last.length;
    let at = first.length;
    for (const piece of rest) {
      const found = component.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at <= end;
  };
}
