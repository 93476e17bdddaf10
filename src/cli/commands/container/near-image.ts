import { HavreError, isHavreError, nearest } from "../../../base/mod.ts";
import type { Client } from "../../../client/mod.ts";
import type { CatalogueAnswer } from "../catalogue/types.ts";

/** An image could not be had: the same error, with what else may have been meant. */
export async function withNearImages(error: unknown, client: Client, asked: string): Promise<unknown> {
  if (!isHavreError(error) || error.hint !== undefined) return error;
  const hint = await nearImages(client, asked).catch(() => undefined);
  return hint === undefined ? error : new HavreError(error.kind, error.message, { hint, cause: error });
}

/** Images of this machine and of its catalogue, which need no registry. */
async function nearImages(client: Client, asked: string): Promise<string | undefined> {
  const [catalogue, images] = await Promise.all([
    client.json<CatalogueAnswer[]>("GET", "/havre/v1/catalogue"),
    client.json<{ RepoTags: string[] | null }[]>("GET", "/images/json"),
  ]);
  const known = [...images.flatMap(({ RepoTags }) => RepoTags ?? []), ...catalogue.map(({ reference }) => reference)];
  // By the words that people type: neither registry nor version.
  const short = (name: string) => name.slice(name.lastIndexOf("/") + 1).replace(/[:@].*$/, "");
  const near = nearest(short(asked), known.map(short));
  const meant = known.find((name) => short(name) === near);
  if (meant !== undefined) return `Did you mean ${meant}?`;
  return catalogue.length > 0 ? "Images that this machine makes by itself: havre catalogue ls" : undefined;
}
