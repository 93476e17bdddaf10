import { formatReference, parseReference, withDefaultTag } from "../../spec/mod.ts";

/** `docker.io/library/debian:12`, which is how BuildKit's clients are told of images; what is no reference stays as it is. */
export function fullName(name: string): string {
  try {
    return formatReference(withDefaultTag(parseReference(name)));
  } catch {
    return name;
  }
}
