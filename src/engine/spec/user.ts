import { HavreError } from "../../base/mod.ts";
import { readTreeFile } from "../../snapshots/mod.ts";
import type { RuntimeProcess } from "../../spec/mod.ts";

/** Largest id that Docker takes. */
const ID_LIMIT = 0x7fffffff;
const PASSWD = "/etc/passwd";
const GROUP = "/etc/group";
/** Bytes: nobody has a larger user or group file. */
const FILE_LIMIT = 16 * 1024 * 1024;

export interface ResolvedUser {
  readonly user: RuntimeProcess["user"];
  readonly home: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}
interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

function numeric(text: string | undefined): number | undefined {
  return text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
}

function lines(text: string | undefined): string[][] {
  if (text === undefined) return [];
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}

/** Entries of passwd(5); lines without numbers where numbers belong are left out. */
export function parsePasswd(text: string | undefined): PasswdEntry[] {
  return lines(text).flatMap(([name = "", , uidText, gidText, , home = ""]) => {
    const uid = numeric(uidText);
    const gid = numeric(gidText);
    return uid === undefined || gid === undefined ? [] : [{ name, uid, gid, home }];
  });
}

/** Entries of group(5). */
export function parseGroup(text: string | undefined): GroupEntry[] {
  return lines(text).flatMap(([name = "", , gidText, members = ""]) => {
    const gid = numeric(gidText);
    return gid === undefined ? [] : [{ name, gid, members: members.split(",").filter((member) => member !== "") }];
  });
}

function inRange(id: number): number {
  if (id < 0 || id > ID_LIMIT) throw new HavreError("invalid-argument", `uids and gids must be in range 0-${ID_LIMIT}`);
  return id;
}

function groupId(wanted: string, groups: readonly GroupEntry[], text: string): number {
  const id = numeric(wanted);
  const found = groups.find((group) => (id === undefined ? group.name === wanted : group.gid === id));
  if (found) return found.gid;
  if (id === undefined) throw new HavreError("invalid-argument", text);
  return inRange(id);
}

/**
 * Resolves `user`, `uid`, `user:group`, … and extra groups against the files of a container's root.
 * `invalid-argument` in Docker's words for a name that is in no file or an id out of range.
 */
export function resolveUser(rootfs: string, wanted: string, groupAdd: readonly string[]): ResolvedUser {
  const [userPart = "", groupPart = ""] = wanted.split(":");
  const userNumber = numeric(userPart);
  const users = parsePasswd(readTreeFile(rootfs, PASSWD, FILE_LIMIT));
  const entry = users.find((candidate) => {
    if (userPart === "") return candidate.uid === 0;
    return userNumber === undefined ? candidate.name === userPart : candidate.uid === userNumber;
  });
  if (!entry && userPart !== "" && userNumber === undefined)
    throw new HavreError("invalid-argument", `unable to find user ${userPart}: no matching entries in passwd file`, {
      hint: "Give a numeric user id, or a name from the image's /etc/passwd",
    });
  const uid = entry?.uid ?? inRange(userNumber ?? 0);
  let gid = entry?.gid ?? 0;
  let supplementary: number[] = [];
  const needsGroups = groupPart !== "" || entry !== undefined || groupAdd.length > 0;
  const groups = needsGroups ? parseGroup(readTreeFile(rootfs, GROUP, FILE_LIMIT)) : [];
  if (groupPart !== "")
    gid = groupId(groupPart, groups, `unable to find group ${groupPart}: no matching entries in group file`);
  else if (entry)
    supplementary = groups.filter((group) => group.members.includes(entry.name)).map((group) => group.gid);
  const extra = groupAdd.map((name) => groupId(name, groups, `Unable to find group ${name}`));
  return {
    user: { uid, gid, additionalGids: [...new Set([gid, ...supplementary, ...extra])] },
    home: entry?.home || "/",
  };
}
