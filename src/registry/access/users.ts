import { createHmac, randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { HavreError } from "../../base/mod.ts";

/** bcrypt, as `htpasswd -B` writes it; nothing weaker is taken. */
const LINE = /^([^:]+):(\$2[aby]\$\d{2}\$[./A-Za-z0-9]{53})$/;
/** How many right passwords are remembered: bcrypt is slow on purpose, and asked with every request. */
const REMEMBERED = 1000;
/** Checked for a name that there is not, so that the time taken does not tell which names there are. */
const NOBODY = `$2b$10$${"a".repeat(53)}`;

/** Whether a password has a bcrypt hash; handed in, since the runtime has it. */
export type VerifyPassword = (password: string, hash: string) => Promise<boolean>;

/** Users of an htpasswd file. The file is read again when it changed. */
export class Users {
  readonly #path: string;
  readonly #verify: VerifyPassword;
  readonly #key = randomBytes(32);
  /** Keyed hashes of name and password that were right under the file as it is. */
  readonly #known = new Set<string>();
  #users: ReadonlyMap<string, string> = new Map();
  #stamp = "";

  /** `failed-precondition` naming the line that cannot be read. */
  constructor(path: string, verify: VerifyPassword) {
    this.#path = path;
    this.#verify = verify;
    this.#refresh();
  }

  /** Whether there is such a user: a token may be older than the file. */
  has(name: string): boolean {
    this.#refresh();
    return this.#users.has(name);
  }

  /** Whether it is the user's password. */
  async check(name: string, password: string): Promise<boolean> {
    this.#refresh();
    const hash = this.#users.get(name);
    const mark = createHmac("sha256", this.#key).update(`${name.length}:${name}${password}`).digest("base64");
    if (this.#known.has(mark)) return true;
    const right = await this.#verify(password, hash ?? NOBODY).catch(() => false);
    if (!right || hash === undefined) return false;
    // The file may have changed while bcrypt worked.
    if (this.#users.get(name) === hash) this.#remember(mark);
    return true;
  }

  #remember(mark: string): void {
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.add(mark);
  }

  #refresh(): void {
    const { mtimeMs, size, ino } = statSync(this.#path);
    const stamp = `${mtimeMs} ${size} ${ino}`;
    if (stamp === this.#stamp) return;
    this.#users = readUsers(readFileSync(this.#path, "utf8"), this.#path);
    this.#stamp = stamp;
    this.#known.clear();
  }
}

function readUsers(text: string, path: string): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, name, hash] = LINE.exec(line.trim()) ?? [];
    if (name === undefined || hash === undefined) {
      throw new HavreError("failed-precondition", `${path}:${index + 1} is not NAME:BCRYPT-HASH`, {
        hint: "Write it with htpasswd -B",
      });
    }
    users.set(name, hash);
  }
  return users;
}

/** Name and password of an Authorization header; undefined when it has none. */
export function readBasic(
  header: string | undefined,
): { readonly name: string; readonly password: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=]+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 1 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
