import { HavreError } from "../../base/mod.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import { basicAuthorization, type Credentials } from "./credentials.ts";
import { RegistryError, registryError } from "./failures.ts";
import type { RegistryHttp, RegistryResponse } from "./http.ts";

/** A token that does not say how long it holds is taken to hold this long (distribution's token specification). */
const DEFAULT_LIFETIME_S = 60;
/** Asked anew this long before its end. */
const MARGIN_MS = 10_000;

interface Token {
  readonly header: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** The Authorization headers that one registry wants of one user: basic, or tokens of its token server per scope. */
export class Authorizer {
  readonly #http: RegistryHttp;
  readonly #credentials: Credentials;
  readonly #insecure: boolean;
  #scheme: "none" | "basic" | "bearer" = "none";
  /** By scopes, sorted and joined. */
  readonly #tokens = new Map<string, Token>();

  constructor(http: RegistryHttp, credentials: Credentials, insecure: boolean) {
    this.#http = http;
    this.#credentials = credentials;
    this.#insecure = insecure;
  }

  /** What to send with a request within `scopes`, as far as is known without asking. */
  header(scopes: readonly string[]): string | undefined {
    if (this.#credentials.registryToken !== undefined) return `Bearer ${this.#credentials.registryToken}`;
    if (this.#scheme === "basic") return basicAuthorization(this.#credentials);
    const token = this.#tokens.get(keyOf(scopes));
    return token && token.expires - MARGIN_MS > this.#http.now() ? token.header : undefined;
  }

  /** Learns from a 401 what the registry wants, and gets it; false when nothing new can be sent. */
  async answer(response: RegistryResponse, scopes: readonly string[], signal?: AbortSignal): Promise<boolean> {
    const challenges = parseChallenges(response.headers.get("www-authenticate") ?? "");
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer) {
      this.#scheme = "bearer";
      this.#tokens.set(keyOf(scopes), await this.#fetchToken(bearer, scopes, signal));
      return true;
    }
    const first = this.#scheme !== "basic";
    if (!challenges.some(({ scheme }) => scheme === "basic") || !basicAuthorization(this.#credentials)) return false;
    this.#scheme = "basic";
    return first;
  }

  async #fetchToken({ parameters }: Challenge, scopes: readonly string[], signal?: AbortSignal): Promise<Token> {
    const realm = parameters.get("realm") ?? "";
    if (!/^https?:\/\//.test(realm)) {
      throw new HavreError(
        "unavailable",
        `The registry names no token server that can be asked: ${JSON.stringify(realm)}`,
      );
    }
    const service = parameters.get("service");
    const asked = scopes.length > 0 ? scopes : (parameters.get("scope")?.split(" ") ?? []);
    const response = await this.#http.send({
      ...(this.#credentials.identityToken === undefined
        ? this.#getRequest(realm, service, asked)
        : this.#postRequest(realm, service, asked, this.#credentials.identityToken)),
      insecure: this.#insecure,
      signal,
    });
    if (response.status !== 200) throw await this.#refusal(response);
    return this.#parse(Buffer.from(await response.bytes()).toString("utf8"), realm);
  }

  #getRequest(realm: string, service: string | undefined, scopes: readonly string[]) {
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set("service", service);
    for (const scope of scopes) url.searchParams.append("scope", scope);
    const { username } = this.#credentials;
    if (username) url.searchParams.set("account", username);
    const authorization = basicAuthorization(this.#credentials);
    return { method: "GET", url: url.href, headers: authorization === undefined ? {} : { authorization } };
  }

  #postRequest(realm: string, service: string | undefined, scopes: readonly string[], refreshToken: string) {
    const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: refreshToken, client_id: "havre" });
    if (service !== undefined) form.set("service", service);
    if (scopes.length > 0) form.set("scope", scopes.join(" "));
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return { method: "POST", url: realm, headers, body: Buffer.from(form.toString()) };
  }

  async #refusal(response: RegistryResponse): Promise<RegistryError> {
    const error = await registryError(response, "Signing in");
    if (error.status !== 401 && error.status !== 403) return error;
    return new RegistryError(error.status, error.code || "UNAUTHORIZED", "unauthenticated", error.message);
  }

  #parse(text: string, realm: string): Token {
    const { token, access_token, expires_in } = readJson(text, realm);
    const value = typeof token === "string" && token !== "" ? token : access_token;
    if (typeof value !== "string" || value === "") throw new HavreError("unavailable", `${realm} gave no token`);
    const lifetime = typeof expires_in === "number" && expires_in > 0 ? expires_in : DEFAULT_LIFETIME_S;
    return { header: `Bearer ${value}`, expires: this.#http.now() + lifetime * 1000 };
  }
}

function keyOf(scopes: readonly string[]): string {
  return [...scopes].sort().join(" ");
}

function readJson(text: string, realm: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new HavreError("unavailable", `${realm} answered something that is no token`);
}
