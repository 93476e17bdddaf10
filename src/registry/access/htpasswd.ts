import { createHmac, randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { HavreError } from "../../base/mod.ts";
import { RegistryFault } from "../fault.ts";
import type { RegistryRequest } from "../http/exchange.ts";
import type { Access, Caller } from "./access.ts";

/** bcrypt, as `htpasswd -B` writes it; nothing weaker is taken. */
const LINE = /^([^:]+):(\$2[aby]\$\d{2}\$[./A-Za-z0-9]{53})$/;
const CHALLENGE = { "www-authenticate": 'Basic realm="Havre registry"' };
/** How many right passwords are remembered: bcrypt is slow on purpose, and asked with every request. */
const REMEMBERED = 1000;
/** Checked for a name that there is not, so that the time taken does not tell which names there are. */
const NOBODY = `$2b$10$${"a".repeat(53)}`;

/** Whether a password has a bcrypt hash; handed in, since the runtime has it. */
export type VerifyPassword = (password: string, hash: string) => Promise<boolean>;

/** Users of an htpasswd file: each may do everything, nobody else may do anything. The file is read again when it changed. */
export class HtpasswdAccess implements Access {
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

  async check(request: RegistryRequest): Promise<Caller> {
    const { name, password } = readBasic(request.header("authorization"));
    this.#refresh();
    const hash = this.#users.get(name);
    const mark = createHmac("sha256", this.#key).update(`${name.length}:${name}${password}`).digest("base64");
    if (this.#known.has(mark)) return { name };
    const right = await this.#verify(password, hash ?? NOBODY).catch(() => false);
    if (!right || hash === undefined) throw refused("the name or the password is wrong");
    // The file may have changed while bcrypt worked.
    if (this.#users.get(name) === hash) this.#remember(mark);
    return { name };
  }

  may(caller: Caller): boolean {
    return caller.name !== undefined;
  }

  signedIn(request: RegistryRequest): Promise<Caller> {
    return this.check(request);
  }

  catalog(request: RegistryRequest): Promise<Caller> {
    return this.check(request);
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

function readBasic(header: string | undefined): { readonly name: string; readonly password: string } {
  const encoded = /^basic +([A-Za-z0-9+/=]+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) throw refused("authentication required");
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 1) throw refused("authentication required");
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

function refused(message: string): RegistryFault {
  return new RegistryFault("UNAUTHORIZED", message, { headers: CHALLENGE });
}
