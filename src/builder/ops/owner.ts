import { HavreError } from "../../base/mod.ts";
import { fromBytes } from "../../snapshots/mod.ts";
import { resolvePath } from "./files/paths.ts";
import type { FileSource } from "./files/source.ts";

export interface OwnerIds {
  readonly uid: number;
  readonly gid: number;
}

/** Bytes: nobody has a larger user or group file. */
const FILE_LIMIT = 16 * 1024 * 1024;

/**
 * `user[:group]` in numbers: names by the tree's own /etc/passwd and /etc/group. A user's number alone is the group's
 * too, a user's name alone brings its group (Docker's rules for `--chown`). `invalid-argument` for a name that is not there.
 */
export function resolveOwner(tree: FileSource, text: string): OwnerIds {
  const [user = "", group] = text.split(":", 2);
  if (/^\d+$/.test(user)) {
    const uid = Number(user);
    return { uid, gid: group === undefined || group === "" ? uid : groupId(tree, group) };
  }
  const entry = lines(tree, "etc/passwd").find(([name]) => name === user);
  if (!entry) throw unknown("user", user, "passwd");
  const uid = Number(entry[2] ?? 0);
  return { uid, gid: group === undefined || group === "" ? Number(entry[3] ?? uid) : groupId(tree, group) };
}

function groupId(tree: FileSource, group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const entry = lines(tree, "etc/group").find(([name]) => name === group);
  if (!entry) throw unknown("group", group, "group");
  return Number(entry[2] ?? 0);
}

function unknown(what: "user" | "group", name: string, file: string): HavreError {
  return new HavreError(
    "invalid-argument",
    `unable to convert uid/gid chown string to host mapping: can't find ${what === "user" ? "uid" : "gid"} for ${what} ${name}: no such ${what}: ${name}`,
    { hint: `Add the ${what} in a step before, so that it is in /etc/${file}, or give its number` },
  );
}

function lines(tree: FileSource, path: string): string[][] {
  const file = tree.stat(resolvePath(tree, fromBytes(Buffer.from(path))));
  if (file?.type !== "file" || file.size > FILE_LIMIT) return [];
  const text = Buffer.concat([...tree.read(file)]).toString();
  return text.split("\n").map((line) => line.split(":"));
}
