import { shortId } from "../../../base/mod.ts";
import { ago, goTime, humanSize } from "../../output/units.ts";
import type { Row } from "../../template/mod.ts";
import type { ImageSummary } from "../../types.ts";

export const imageHeadings: Readonly<Record<string, string>> = {
  ID: "IMAGE ID",
  Repository: "REPOSITORY",
  Tag: "TAG",
  Digest: "DIGEST",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  Size: "SIZE",
  Containers: "CONTAINERS",
  VirtualSize: "SIZE",
  SharedSize: "SHARED SIZE",
  UniqueSize: "UNIQUE SIZE",
};

export interface ImageName {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

const NONE = "<none>";

/** The names an image is listed under, one row each. */
export function imageNames(image: ImageSummary, options: { digests: boolean; perDigest: boolean }): ImageName[] {
  const tags = group(image.RepoTags ?? [], ":");
  const digests = group(image.RepoDigests ?? [], "@");
  if (tags.size === 0 && digests.size === 0) return [{ repository: NONE, tag: NONE, digest: NONE }];
  const names: ImageName[] = [];
  for (const [repository, own] of tags) {
    const shown = options.digests ? (digests.get(repository) ?? []) : [];
    for (const tag of own)
      for (const digest of shown.length > 0 ? shown : [NONE]) names.push({ repository, tag, digest });
    digests.delete(repository);
  }
  for (const [repository, own] of digests)
    for (const digest of options.perDigest ? own : [""]) names.push({ repository, tag: NONE, digest });
  return names;
}

/** References by repository. They come from the daemon in their familiar form: the last `:` or the `@` parts them. */
function group(references: readonly string[], mark: ":" | "@"): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const text of references) {
    const at = text.lastIndexOf(mark);
    if (text.startsWith(NONE) || at < 0) continue;
    const name = text.slice(0, at);
    groups.set(name, [...(groups.get(name) ?? []), text.slice(at + 1)]);
  }
  return groups;
}

/** An image under one of its names, as a row of `images`. */
export function imageRow(image: ImageSummary, name: ImageName, trunc: boolean): Row {
  const unknown = image.Size === -1 || image.SharedSize === -1;
  return {
    Containers: () => (image.Containers === -1 ? "N/A" : String(image.Containers)),
    CreatedAt: () => goTime(image.Created),
    CreatedSince: () => ago(image.Created),
    Digest: () => name.digest,
    ID: () => (trunc ? shortId(image.Id) : image.Id),
    Repository: () => name.repository,
    SharedSize: () => (image.SharedSize === -1 ? "N/A" : humanSize(image.SharedSize)),
    Size: () => humanSize(image.Size, 3),
    Tag: () => name.tag,
    UniqueSize: () => (unknown ? "N/A" : humanSize(image.Size - image.SharedSize)),
    VirtualSize: () => humanSize(image.Size),
  };
}
