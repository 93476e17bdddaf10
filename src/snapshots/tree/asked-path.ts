import { type ByteName, fromBytes, shown } from "./names.ts";

/** A path as somebody asked for it, cleaned by its text alone as Docker does, with what its end says. */
export interface AskedPath {
  /** Below the top, without slash at either end; "" is the top. */
  readonly path: ByteName;
  /** It ends in a slash or `/.` (or `/./`): it must be a folder, and a link at its end is followed. */
  readonly folder: boolean;
  /** Its last component as Go's path.Base says it: "/" for the top, "." when it ends in `/.` or `/./`. */
  readonly name: ByteName;
  /** The whole, from the top, for messages. */
  readonly text: string;
}

export function askedPath(text: string): AskedPath {
  const raw = fromBytes(Buffer.from(text));
  const parts: ByteName[] = [];
  for (const part of raw.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  const dot = raw.split("/").findLast((part) => part !== "") === ".";
  const folder = dot || raw.endsWith("/") || parts.length === 0;
  const name = dot ? "." : (parts.at(-1) ?? "/");
  const path = parts.join("/");
  const end = path === "" ? (dot ? "." : "") : dot ? "/." : folder ? "/" : "";
  return { path, folder, name, text: `/${shown(path)}${end}` };
}
