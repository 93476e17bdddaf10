import { getXattr, listXattrs } from "../kernel/mod.ts";

/** Overlayfs keeps its own notes among them: no part of the tree. */
const OVERLAY = /^(?:trusted|user)\.overlay\./;

/** Extended attributes of a path, in order of name; of a link itself, not of its target. */
export function attributesOf(path: string | Uint8Array): ReadonlyMap<string, Uint8Array> {
  const attributes = new Map<string, Uint8Array>();
  for (const name of listXattrs(path)) {
    const value = OVERLAY.test(name) ? undefined : getXattr(path, name);
    if (value) attributes.set(name, value);
  }
  return attributes;
}
