import { configPath, type DockerConfig, readConfig, type StoredAuth, writeConfig } from "./config-file.ts";
import { CredentialHelper, TOKEN_USER } from "./helper.ts";

const HUB = "https://index.docker.io/v1/";

/** What the daemon is told of who one is towards a registry (Docker API, § Authentication). */
export interface AuthConfig {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
  readonly serveraddress: string;
}

/** The user's sign-ins, in Docker's configuration file and the credential helpers it names. */
export class SignIns {
  readonly #path: string;
  #config: DockerConfig;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#path = configPath(env);
    this.#config = readConfig(this.#path);
  }

  /** The file, for messages. */
  get path(): string {
    return this.#path;
  }

  /** True when passwords stand in the file itself. */
  keepsIn(server: string): "file" | "helper" {
    return this.#helperFor(server) ? "helper" : "file";
  }

  /** What is known of a registry's domain (`docker.io`, `host:port`); undefined: nothing. */
  async find(domain: string): Promise<AuthConfig | undefined> {
    const server = serverKey(domain);
    const helper = this.#helperFor(server);
    if (!helper) return this.#inFile(server);
    const known = await helper.get(server);
    if (!known) return undefined;
    if (known.Username === TOKEN_USER) return { identitytoken: known.Secret, serveraddress: server };
    return { username: known.Username, password: known.Secret, serveraddress: server };
  }

  /** Every sign-in by server, for what may need several: a build. */
  async all(): Promise<Readonly<Record<string, AuthConfig>>> {
    const servers = new Set([...Object.keys(this.#config.auths ?? {}), ...Object.keys(this.#config.credHelpers ?? {})]);
    const entries: [string, AuthConfig][] = [];
    for (const server of servers) {
      const known = await this.find(server);
      if (known) entries.push([server, known]);
    }
    return Object.fromEntries(entries);
  }

  async store(domain: string, auth: AuthConfig): Promise<void> {
    const server = serverKey(domain);
    const helper = this.#helperFor(server);
    if (helper) {
      const { username = "", password = "", identitytoken } = auth;
      await helper.store(
        server,
        identitytoken ? { Username: TOKEN_USER, Secret: identitytoken } : { Username: username, Secret: password },
      );
      this.#write(server, {});
      return;
    }
    const { identitytoken, username = "", password = "" } = auth;
    this.#write(server, {
      auth: Buffer.from(`${username}:${identitytoken ? "" : password}`).toString("base64"),
      ...(identitytoken ? { identitytoken } : {}),
    });
  }

  /** Forgets a registry; false when nothing was known. */
  async erase(domain: string): Promise<boolean> {
    const server = serverKey(domain);
    const keys = [server, ...this.#otherKeys(server)];
    const known = keys.some((key) => this.#config.auths?.[key] !== undefined);
    await this.#helperFor(server)?.erase(server);
    const auths = Object.fromEntries(Object.entries(this.#config.auths ?? {}).filter(([key]) => !keys.includes(key)));
    if (known) this.#save({ ...this.#config, auths });
    return known;
  }

  #inFile(server: string): AuthConfig | undefined {
    const key = [server, ...this.#otherKeys(server)].find((one) => this.#config.auths?.[one] !== undefined);
    const stored = key === undefined ? undefined : this.#config.auths?.[key];
    return stored && decode(stored, server);
  }

  /** Old files name hosts by URLs. */
  #otherKeys(server: string): readonly string[] {
    const host = hostOf(server);
    return Object.keys(this.#config.auths ?? {}).filter((key) => key !== server && hostOf(key) === host);
  }

  #helperFor(server: string): CredentialHelper | undefined {
    const name =
      this.#config.credHelpers?.[server] ?? this.#config.credHelpers?.[hostOf(server)] ?? this.#config.credsStore;
    return name ? new CredentialHelper(name) : undefined;
  }

  #write(server: string, stored: StoredAuth): void {
    this.#save({ ...this.#config, auths: { ...this.#config.auths, [server]: stored } });
  }

  #save(config: DockerConfig): void {
    writeConfig(this.#path, config);
    this.#config = config;
  }
}

/** The value of the header `X-Registry-Auth` for a registry's domain; none when nothing is known. */
export async function registryAuthHeader(
  env: Readonly<Record<string, string | undefined>>,
  domain: string,
): Promise<Readonly<Record<string, string>>> {
  const known = await new SignIns(env).find(domain);
  return known ? { "X-Registry-Auth": encodeAuth(known) } : {};
}

export function encodeAuth(auth: object): string {
  return Buffer.from(JSON.stringify(auth)).toString("base64url");
}

/** Docker Hub's key in the file is an address from its first days. */
export function serverKey(domain: string): string {
  const host = hostOf(domain);
  return ["docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com", ""].includes(host) ? HUB : host;
}

function hostOf(server: string): string {
  return server.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

function decode({ auth = "", identitytoken, registrytoken }: StoredAuth, server: string): AuthConfig | undefined {
  const text = Buffer.from(auth, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = text.indexOf(":");
  if (colon < 0 && !identitytoken && !registrytoken) return undefined;
  return {
    ...(colon < 0 ? {} : { username: text.slice(0, colon), password: text.slice(colon + 1) }),
    ...(identitytoken ? { identitytoken } : {}),
    ...(registrytoken ? { registrytoken } : {}),
    serveraddress: server,
  };
}
