/**
 * `node:fs`, loaded by whoever needs it first: it takes more than a millisecond, which a command spends while the daemon
 * works on its request (docs/decisions/command-line-start-up.md).
 */
export function nodeFs(): typeof import("node:fs") {
  return require("node:fs");
}
