import { type Digest, isDigest } from "../base/mod.ts";
import { RegistryFault } from "./fault.ts";

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const NAME_LIMIT = 255;
const TAG = /^\w[\w.-]{0,127}$/;

/** A repository's name (distribution specification, § Pulling manifests). NAME_INVALID. */
export function checkName(name: string): string {
  if (name.length <= NAME_LIMIT && NAME.test(name)) return name;
  throw new RegistryFault("NAME_INVALID", "invalid repository name", { detail: name });
}

/** DIGEST_INVALID. */
export function checkDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new RegistryFault("DIGEST_INVALID", "provided digest is not one that is supported", { detail: text });
}

export type ManifestName = { readonly tag: string } | { readonly digest: Digest };

/** A tag or a digest. */
export function readReference(text: string): ManifestName {
  if (text.includes(":")) return { digest: checkDigest(text) };
  return { tag: checkTag(text) };
}

export function checkTag(tag: string): string {
  if (TAG.test(tag)) return tag;
  throw new RegistryFault("MANIFEST_INVALID", "invalid tag", { detail: tag });
}
