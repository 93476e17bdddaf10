import type { Route } from "./exchange.ts";

export interface Match {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

interface Compiled {
  readonly route: Route;
  readonly pattern: RegExp;
  readonly names: readonly string[];
}

function compile(route: Route): Compiled {
  const names: string[] = [];
  const pattern = route.path.replace(/\{(\w+)(\.\.\.)?\}/g, (_, name: string, rest: string | undefined) => {
    names.push(name);
    return rest ? "(.+)" : "([^/]+)";
  });
  return { route, pattern: new RegExp(`^${pattern}$`), names };
}

function firstSegment(path: string): string {
  const end = path.indexOf("/", 1);
  return end < 0 ? path : path.slice(0, end);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Finds the route of a request; in the order they were given, by method and the first part of the path. */
export class Router {
  readonly #byPrefix = new Map<string, Compiled[]>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const key = `${route.method} ${firstSegment(route.path)}`;
      const group = this.#byPrefix.get(key);
      if (group) group.push(compile(route));
      else this.#byPrefix.set(key, [compile(route)]);
    }
  }

  match(method: string, path: string): Match | undefined {
    for (const { route, pattern, names } of this.#byPrefix.get(`${method} ${firstSegment(path)}`) ?? []) {
      const found = pattern.exec(path);
      if (!found) continue;
      const parameters = Object.fromEntries(names.map((name, index) => [name, decode(found[index + 1] ?? "")]));
      return { route, parameters };
    }
    return undefined;
  }
}
