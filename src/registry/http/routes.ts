import type { RegistryRequest } from "./exchange.ts";

/** What a path of the distribution API names. */
export type Route =
  | { readonly kind: "base" | "catalog" }
  | { readonly kind: "manifest" | "blob" | "referrers"; readonly repository: string; readonly reference: string }
  | { readonly kind: "tags" | "uploads"; readonly repository: string }
  | { readonly kind: "upload"; readonly repository: string; readonly id: string };

const UPLOADS = /^\/v2\/(.+)\/blobs\/uploads(?:\/([^/]*))?$/;
const NAMED = /^\/v2\/(.+)\/(manifests|blobs|referrers)\/([^/]+)$/;
const TAGS = /^\/v2\/(.+)\/tags\/list\/?$/;

/** undefined: not of the distribution API. A repository may have parts called `blobs` or `tags`: the last ones count. */
export function routeOf({ path }: Pick<RegistryRequest, "path">): Route | undefined {
  if (path === "/v2/" || path === "/v2") return { kind: "base" };
  if (path === "/v2/_catalog") return { kind: "catalog" };
  const upload = UPLOADS.exec(path);
  if (upload) {
    const [, repository = "", id = ""] = upload;
    return id === "" ? { kind: "uploads", repository } : { kind: "upload", repository, id };
  }
  const named = NAMED.exec(path);
  if (named) {
    const [, repository = "", what = "", reference = ""] = named;
    const kind = what === "manifests" ? "manifest" : what === "blobs" ? "blob" : "referrers";
    return { kind, repository, reference: decode(reference) };
  }
  const tags = TAGS.exec(path);
  return tags ? { kind: "tags", repository: tags[1] ?? "" } : undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Refused by what reads it.
  }
}
