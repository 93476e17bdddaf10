import { readFileSync } from "node:fs";
import { HavreError } from "../../../base/mod.ts";
import { list, text } from "../../args/flags.ts";

/** What locks a backup. */
export const lockFlags = {
  "passphrase-file": text("Encrypt with the passphrase in a file ('-': standard input)"),
  recipient: list("Encrypt for a public key of age (age1…), several for several readers", { short: "r" }),
} as const;

/** What opens it. */
export const openerFlags = {
  identity: list("File with secret keys of age (AGE-SECRET-KEY-1…)", { short: "i" }),
  "passphrase-file": text("File with the passphrase ('-': standard input)"),
} as const;

export function lockFields(flags: {
  readonly "passphrase-file": string;
  readonly recipient: readonly string[];
}): object {
  return {
    ...passphrase(flags["passphrase-file"]),
    ...(flags.recipient.length > 0 ? { recipients: flags.recipient } : {}),
  };
}

export function openerFields(flags: {
  readonly "passphrase-file": string;
  readonly identity: readonly string[];
}): object {
  const identities = flags.identity.flatMap((path) =>
    readKeyFile(path)
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#")),
  );
  return { ...passphrase(flags["passphrase-file"]), ...(identities.length > 0 ? { identities } : {}) };
}

function passphrase(path: string): object {
  if (path === "") return {};
  const passphrase = readKeyFile(path === "-" ? 0 : path).replace(/\r?\n$/, "");
  if (passphrase === "") throw new HavreError("invalid-argument", "The passphrase is empty");
  return { passphrase };
}

function readKeyFile(path: string | 0): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new HavreError("not-found", `Cannot read ${path === 0 ? "standard input" : path}`, { cause });
  }
}
