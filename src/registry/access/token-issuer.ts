import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { type Clock, digestHex, digestOf, errnoOf } from "../../base/mod.ts";
import { RegistryFault } from "../fault.ts";
import { type RegistryRequest, readBody } from "../http/exchange.ts";
import type { Access, Caller, TokenAccess, TokenSource } from "./access.ts";
import { signToken, type TrustedKeys } from "./jwt.ts";
import { readBasic, type Users } from "./users.ts";

/** Both names of one registry to itself: clients repeat the second as they were told it. */
export const OWN_ISSUER = "havre-registry";
export const OWN_SERVICE = "havre-registry";
const FORM_LIMIT = 64 * 1024;

/** The key that a registry signs its own tokens with; made when there is none. Only its owner reads the file. */
export function ownKey(path: string): KeyObject {
  try {
    return createPrivateKey(readFileSync(path, "utf8"));
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(`${path}.new`, privateKey.export({ format: "pem", type: "pkcs8" }), { mode: 0o600 });
    renameSync(`${path}.new`, path);
    return privateKey;
  }
}

/** The registry's own token server (Docker Registry v2 authentication: token by GET, and by OAuth2's POST). */
export class TokenIssuer implements TokenSource {
  readonly trusted: TrustedKeys;
  readonly #key: KeyObject;
  readonly #keyId: string;
  readonly #users: Users;
  readonly #may: Access["may"];
  readonly #mayOperate: Access["mayOperate"];
  readonly #lifetimeMs: number;
  readonly #clock: Clock;

  constructor(
    key: KeyObject,
    users: Users,
    { may, mayOperate }: Pick<Access, "may" | "mayOperate">,
    lifetimeMs: number,
    clock: Clock,
  ) {
    const publicKey = createPublicKey(key);
    this.#key = key;
    this.#keyId = digestHex(digestOf(publicKey.export({ format: "der", type: "spki" }))).slice(0, 32);
    this.trusted = { keys: [publicKey], authorities: [] };
    this.#users = users;
    this.#may = may;
    this.#mayOperate = mayOperate;
    this.#lifetimeMs = lifetimeMs;
    this.#clock = clock;
  }

  async grant(request: RegistryRequest): Promise<{ readonly body: unknown; readonly caller: Caller }> {
    const asked = request.method === "POST" ? await this.#byForm(request) : await this.#byQuery(request);
    const caller: Caller = asked.name === undefined ? {} : { name: asked.name };
    const access = asked.scopes.flatMap((scope) => this.#grantScope(caller, scope));
    const now = Math.floor(this.#clock.now() / 1000);
    const lifetime = Math.floor(this.#lifetimeMs / 1000);
    const claims = {
      iss: OWN_ISSUER,
      sub: asked.name ?? "",
      aud: OWN_SERVICE,
      iat: now,
      nbf: now,
      exp: now + lifetime,
      jti: randomUUID(),
      access,
    };
    const token = signToken(this.#key, this.#keyId, claims);
    const issued = new Date(now * 1000).toISOString();
    return { body: { token, access_token: token, expires_in: lifetime, issued_at: issued }, caller };
  }

  async #byQuery(request: RegistryRequest) {
    const scopes = request.query.getAll("scope").flatMap((scope) => scope.split(" "));
    if (request.header("authorization") === undefined) return { name: undefined, scopes };
    const basic = readBasic(request.header("authorization"));
    if (!basic || !(await this.#users.check(basic.name, basic.password))) throw wrongPassword();
    return { name: basic.name, scopes };
  }

  async #byForm(request: RegistryRequest) {
    const bytes = await readBody(request, FORM_LIMIT, () => new RegistryFault("SIZE_INVALID", "the form is too large"));
    const form = new URLSearchParams(Buffer.from(bytes).toString("utf8"));
    if (form.get("grant_type") !== "password") {
      throw new RegistryFault("UNSUPPORTED", "only grant_type password is known", { status: 400 });
    }
    const name = form.get("username") ?? "";
    if (!(await this.#users.check(name, form.get("password") ?? ""))) throw wrongPassword();
    return { name, scopes: form.getAll("scope").flatMap((scope) => scope.split(" ")) };
  }

  /** What of a scope `type:name:actions` the caller may have; nothing of it: no entry. */
  #grantScope(caller: Caller, scope: string): readonly TokenAccess[] {
    const match = /^([a-z]+)(?:\([a-z]+\))?:(.+):([a-z,*]+)$/.exec(scope);
    if (!match) return [];
    const [, type = "", name = "", words = ""] = match;
    if (type === "registry") {
      const all = name === "catalog" || this.#mayOperate(caller);
      return all ? [{ type, name, actions: words.split(",") }] : [];
    }
    if (type !== "repository") return [];
    const wanted = words.split(",").includes("*") ? ["pull", "push", "delete", "*"] : words.split(",");
    const actions = wanted.filter((word) => {
      if (word === "*") return this.#may(caller, name, "admin");
      return (word === "pull" || word === "push" || word === "delete") && this.#may(caller, name, word);
    });
    return actions.length > 0 ? [{ type, name, actions }] : [];
  }
}

function wrongPassword(): RegistryFault {
  const headers = { "www-authenticate": 'Basic realm="Havre registry"' };
  return new RegistryFault("UNAUTHORIZED", "the name or the password is wrong", { headers });
}
