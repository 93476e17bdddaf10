import { familiarName, parseReference } from "../../spec/mod.ts";

/** What a context is called that stands for a name of a `FROM` or `--from`: `alpine` for `docker.io/library/alpine:latest`, too. */
export function contextName(name: string): string {
  const lower = name.toLowerCase();
  try {
    const { tag, digest, ...reference } = parseReference(lower);
    if (digest !== undefined) return lower;
    return `${familiarName(reference)}${tag === undefined || tag === "latest" ? "" : `:${tag}`}`;
  } catch {
    return lower;
  }
}
