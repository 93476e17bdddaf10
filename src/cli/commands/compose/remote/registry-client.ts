import { createHash } from "node:crypto";
import { HavreError } from "../../../../base/mod.ts";
import { type AuthConfig, SignIns } from "../../../credentials/sign-ins.ts";

export const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
/** Media types of docker compose. */
export const COMPOSE_FILE = "application/vnd.docker.compose.file+yaml";
export const COMPOSE_PROJECT = "application/vnd.docker.compose.project";

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly data?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** Compose files are small; whatever is larger is none. */
const MOST_BYTES = 8 * 1024 * 1024;

export function descriptorOf(content: Uint8Array, mediaType: string): Descriptor {
  const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  return { mediaType, digest, size: content.byteLength };
}

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly accept?: readonly number[];
}

/** One repository of a registry, for small things: Compose files. Source: OCI Distribution Specification 1.1. */
export class Repository {
  #authorization: string | undefined;
  readonly #base: string;

  private constructor(
    readonly domain: string,
    readonly path: string,
    readonly auth: AuthConfig | undefined,
  ) {
    const host = domain === "docker.io" ? "registry-1.docker.io" : domain;
    const isLocal = /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(host);
    this.#base = `${isLocal ? "http" : "https"}://${host}/v2/${path}`;
  }

  static async open(domain: string, path: string, env: Readonly<Record<string, string | undefined>>) {
    return new Repository(domain, path, await new SignIns(env).find(domain));
  }

  async manifest(reference: string): Promise<{ content: Uint8Array; digest: string }> {
    const content = await this.#read(`/manifests/${reference}`, { Accept: MANIFEST });
    const { digest } = descriptorOf(content, MANIFEST);
    if (reference.includes(":") && reference !== digest) throw this.#lied(reference, digest);
    return { content, digest };
  }

  async blob({ digest, mediaType }: Descriptor): Promise<Uint8Array> {
    const content = await this.#read(`/blobs/${digest}`, {});
    const found = descriptorOf(content, mediaType).digest;
    if (found !== digest) throw this.#lied(digest, found);
    return content;
  }

  async putBlob(content: Uint8Array, { digest }: Descriptor): Promise<void> {
    const there = await this.#send("HEAD", `/blobs/${digest}`, { accept: [404] });
    if (there.ok) return;
    const { headers } = await this.#send("POST", "/blobs/uploads/", {});
    const place = new URL(headers.get("location") ?? "", `${this.#base}/`);
    place.searchParams.set("digest", digest);
    await this.#send("PUT", place.href, { body: content, headers: { "Content-Type": "application/octet-stream" } });
  }

  async putManifest(content: Uint8Array, reference: string): Promise<void> {
    await this.#send("PUT", `/manifests/${reference}`, { body: content, headers: { "Content-Type": MANIFEST } });
  }

  async #read(path: string, headers: Readonly<Record<string, string>>): Promise<Uint8Array> {
    const { body } = await this.#send("GET", path, { headers });
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of body ?? []) {
      size += piece.byteLength;
      if (size > MOST_BYTES)
        throw new HavreError("invalid-argument", `${this.domain}/${this.path}${path} is too large for a Compose file`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  async #send(method: string, path: string, { headers = {}, body, accept = [] }: Sent): Promise<Response> {
    const url = path.startsWith("/") ? `${this.#base}${path}` : path;
    const once = () =>
      fetch(url, {
        method,
        headers: { ...headers, ...(this.#authorization === undefined ? {} : { Authorization: this.#authorization }) },
        ...(body === undefined ? {} : { body }),
      });
    try {
      let answer = await once();
      if (answer.status === 401) {
        this.#authorization = await this.#authorize(answer.headers.get("www-authenticate") ?? "", method);
        answer = await once();
      }
      if (answer.ok || accept.includes(answer.status)) return answer;
      throw this.#refusal(answer.status, path);
    } catch (error) {
      if (error instanceof HavreError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new HavreError("unavailable", `The registry ${this.domain} does not answer: ${why}`, { cause: error });
    }
  }

  #refusal(status: number, path: string): HavreError {
    const name = `${this.domain}/${this.path}`;
    if (status === 404) return new HavreError("not-found", `${name}${path}: not found in the registry`);
    if (status === 401 || status === 403)
      return new HavreError("permission-denied", `The registry ${this.domain} refuses ${name}`, {
        hint: `Sign in: havre login ${this.domain}`,
      });
    return new HavreError("unavailable", `The registry ${this.domain} answers ${status} for ${name}${path}`);
  }

  /** What a registry's challenge asks for. Source: RFC 7235; the Distribution project's token specification. */
  async #authorize(challenge: string, method: string): Promise<string> {
    const { username = "", password = "", identitytoken, registrytoken } = this.auth ?? {};
    const basic = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    if (registrytoken) return `Bearer ${registrytoken}`;
    if (!/^bearer /i.test(challenge)) return basic;
    const part = (name: string) => new RegExp(`\\b${name}="([^"]*)"`, "i").exec(challenge)?.[1];
    const realm = new URL(part("realm") ?? "");
    const scope = `repository:${this.path}:${method === "GET" ? "pull" : "pull,push"}`;
    const query: Record<string, string> = { service: part("service") ?? "", scope };
    const answer = identitytoken
      ? await fetch(realm, {
          method: "POST",
          body: new URLSearchParams({
            ...query,
            grant_type: "refresh_token",
            client_id: "havre",
            refresh_token: identitytoken,
          }),
        })
      : await fetch(`${realm.href}?${new URLSearchParams(query)}`, {
          headers: username === "" ? {} : { Authorization: basic },
        });
    if (!answer.ok) throw this.#refusal(answer.status === 400 ? 401 : answer.status, "");
    const { token, access_token } = (await answer.json()) as { token?: string; access_token?: string };
    return `Bearer ${token ?? access_token ?? ""}`;
  }

  #lied(wanted: string, found: string): HavreError {
    return new HavreError("data-loss", `The registry ${this.domain} answers ${wanted} with something else: ${found}`);
  }
}
