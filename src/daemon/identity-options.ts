import { createHash } from "node:crypto";
import { HavreError } from "../base/mod.ts";
import { containerKind } from "../engine/mod.ts";
import { ensureHostUser, type IdentitiesOptions, readSubIds } from "../identities/mod.ts";
import { type DaemonOptions, DEFAULT_ROOT } from "./options.ts";

/** Blocks among which an engine finds its own to begin at. */
const BLOCKS = 4000;
/** Ids of a block: what most containers get. */
const BLOCK = 65_536;

/** Which ids of the host containers get, from the daemon's options. `failed-precondition` for a user who has none. */
export function identityOptions(
  { usernsRemap = "", root, run }: Pick<DaemonOptions, "usernsRemap" | "root" | "run">,
  store: IdentitiesOptions["store"],
): IdentitiesOptions {
  // By its folder, always the same: engines of one host draw from one stock and keep no common book.
  const block = root === DEFAULT_ROOT ? 0 : createHash("sha256").update(root).digest().readUInt32LE() % BLOCKS;
  const begin = block * BLOCK;
  const pidOf: IdentitiesOptions["pidOf"] = (tx, id) => tx.get(containerKind, id)?.status.init?.pid;
  const own = { pidOf, store, begin, folders: [root, run], space: ensureHostUser, shared: false };
  if (usernsRemap === "") return { ...own, usual: "host" };
  if (usernsRemap === "default") return { ...own, usual: "auto" };
  const [user = "", group = user] = usernsRemap.split(":");
  const ids = readSubIds(user, group);
  if (!ids)
    throw new HavreError(
      "failed-precondition",
      `User ${user} and group ${group} have no subordinate ids for --userns-remap`,
      {
        hint: "Write them into /etc/subuid and /etc/subgid, or use --userns-remap default",
      },
    );
  return { ...own, usual: "auto", space: () => ids, shared: true };
}
