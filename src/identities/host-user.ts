import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { errnoOf, HavreError } from "../base/mod.ts";
import type { IdSpace } from "./id-range.ts";

/** The user of the host whose subordinate ids containers get. Nobody logs in as it and it owns no file. */
export const HOST_USER = "havre";

/**
 * Below 2³¹, and apart from what systemd (up to 0x6fffffff, and from 0x7ffe0000 on) and other engines use: 4094 containers
 * of the usual size.
 */
const FIRST = 0x7000_0000;
const LAST = 0x7ffd_ffff;

/** As usermod(8) takes them. */
const HOST_IDS = `${FIRST}-${LAST}`;
/** What makes the user and sets its ids aside, by hand. */
export const MAKE_HOST_USER = `useradd --system ${HOST_USER}; usermod --add-subuids ${HOST_IDS} --add-subgids ${HOST_IDS} ${HOST_USER}`;

export type SubIds = IdSpace;

/** A user's first run of ids in a subuid(5) file; by name or, as that page allows, by number. */
export function parseSubIds(text: string, names: readonly string[]): { first: number; count: number } | undefined {
  for (const line of text.split("\n")) {
    const [name = "", first = "", count = ""] = line.trim().split(":");
    if (names.includes(name) && /^\d+$/.test(first) && /^\d+$/.test(count))
      return { first: Number(first), count: Number(count) };
  }
  return undefined;
}

/** What this host has set aside for a user, and for a group under the user's or its own name; undefined: nothing. */
export function readSubIds(user: string, group = user): SubIds | undefined {
  const uids = parseSubIds(readText("/etc/subuid"), namesOf(user, "/etc/passwd"));
  const gids = parseSubIds(readText("/etc/subgid"), namesOf(group, "/etc/group"));
  if (!uids || !gids) return undefined;
  return { uid: uids.first, gid: gids.first, count: Math.min(uids.count, gids.count) };
}

/**
 * The dedicated user's ids; the user and its ids are made when they are missing. `failed-precondition` with what to do by
 * hand where that cannot be done.
 */
export function ensureHostUser(): SubIds {
  const there = readSubIds(HOST_USER);
  if (there) return there;
  try {
    if (
      !readText("/etc/passwd")
        .split("\n")
        .some((line) => line.startsWith(`${HOST_USER}:`))
    )
      run(
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/usr/sbin/nologin",
        HOST_USER,
      );
    const files = [
      ["/etc/subuid", "--add-subuids"],
      ["/etc/subgid", "--add-subgids"],
    ] as const;
    const missing = files.filter(([file]) => parseSubIds(readText(file), [HOST_USER]) === undefined);
    run("usermod", ...missing.flatMap(([, option]) => [option, HOST_IDS]), HOST_USER);
  } catch (error) {
    throw explained(error);
  }
  const made = readSubIds(HOST_USER);
  if (made) return made;
  throw explained(undefined);
}

function explained(cause: unknown): HavreError {
  const count = LAST - FIRST + 1;
  return new HavreError("failed-precondition", `This host has set no user ids aside for containers`, {
    cause,
    hint: `Make a system user ${HOST_USER} and write ${HOST_USER}:${FIRST}:${count} into /etc/subuid and /etc/subgid`,
  });
}

function run(command: string, ...args: string[]): void {
  const path = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`;
  execFileSync(command, args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, PATH: path, LC_ALL: "C" },
  });
}

/** A name, and the number it has. */
function namesOf(name: string, file: string): readonly string[] {
  for (const line of readText(file).split("\n")) {
    const [entry, , id] = line.split(":");
    if ((entry === name || id === name) && entry !== undefined && id !== undefined) return [entry, id];
  }
  return [name];
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  }
}
