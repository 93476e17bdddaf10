import type { Database } from "bun:sqlite";
import { statSync } from "node:fs";

/** Bytes; as many as the write-ahead log holds before SQLite copies it into the database (1000 pages of 4 KiB). */
const RESERVE = 4 << 20;

/**
 * Takes the disk space that later changes will need, so that on a full disk containers can still end and be removed:
 * pages of the database that are free, and a write-ahead log that is written over, not made longer. On a disk that is
 * full already it goes without.
 */
export function reserveSpace(database: Database, path: string): void {
  const { freelist_count: free } = database.query<{ freelist_count: number }, []>("PRAGMA freelist_count").get() ?? {
    freelist_count: 0,
  };
  const { page_size: pageSize } = database.query<{ page_size: number }, []>("PRAGMA page_size").get() ?? {
    page_size: 4096,
  };
  if (free * pageSize >= RESERVE && statSync(`${path}-wal`).size >= RESERVE) return;
  try {
    // Two transactions: pages taken and freed in one are never written.
    database.run("CREATE TABLE IF NOT EXISTS reserve (bytes BLOB)");
    database.run("INSERT INTO reserve VALUES (zeroblob(?1))", [RESERVE]);
    database.run("PRAGMA wal_checkpoint(RESTART)");
    database.run("DROP TABLE reserve");
    database.run("PRAGMA wal_checkpoint(RESTART)");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "SQLITE_FULL")) throw error;
  }
}
