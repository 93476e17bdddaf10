import { constants, Database } from "bun:sqlite";
import { HavreError } from "../base/mod.ts";

/**
 * Every value of one column of a database that another program wrote (RPM's, say), without touching it: it may lie on a read-only file
 * system. `data-loss` for a file that is no such database.
 */
export function readForeignColumn(path: string, table: string, column: string): readonly Uint8Array[] {
  const name = (word: string) => `"${word.replaceAll('"', '""')}"`;
  try {
    using database = new Database(
      `file:${encodeURI(path).replaceAll("?", "%3f").replaceAll("#", "%23")}?immutable=1`,
      constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI,
    );
    const rows = database.query(`SELECT ${name(column)} AS value FROM ${name(table)}`).all() as { value: unknown }[];
    return rows.flatMap(({ value }) => (value instanceof Uint8Array ? [value] : []));
  } catch (cause) {
    throw new HavreError("data-loss", `${path} cannot be read as a database`, { cause });
  }
}
