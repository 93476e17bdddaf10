import { HavreError } from "../../base/mod.ts";
import type { Credentials } from "../../images/mod.ts";
import { decodeAuthConfig } from "../../spec/mod.ts";
import type { Exchange } from "./exchange.ts";

/**
 * Who a client says it is towards a registry: the header `X-Registry-Auth` (Docker API, § Authentication), base64url of
 * JSON. Anonymous without one; one that cannot be read is ignored, as dockerd does.
 */
export function registryCredentials({ request }: Pick<Exchange, "request">): Credentials {
  const header = request.headers["x-registry-auth"];
  if (typeof header !== "string" || header === "") return {};
  try {
    return credentialsOf(Buffer.from(header, "base64url").toString("utf8"));
  } catch (error) {
    if (error instanceof HavreError) return {};
    throw error;
  }
}

/** Credentials from an AuthConfig as JSON. `invalid-argument`. */
export function credentialsOf(text: string): Credentials & { readonly server: string } {
  const config = decodeAuthConfig(text);
  const decoded = Buffer.from(config.auth, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  const username = config.username || (colon < 0 ? "" : decoded.slice(0, colon));
  const password = config.password || (colon < 0 ? "" : decoded.slice(colon + 1));
  return {
    server: config.serveraddress,
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
    ...(config.identitytoken === "" ? {} : { identityToken: config.identitytoken }),
    ...(config.registrytoken === "" ? {} : { registryToken: config.registrytoken }),
  };
}

/** What a client has for each registry a build may need: the header `X-Registry-Config`, base64 of JSON by server. */
export function registriesOf({ request }: Pick<Exchange, "request">): (registry: string) => Credentials {
  const header = request.headers["x-registry-config"];
  const all = typeof header === "string" ? serversOf(header) : {};
  return (registry) => {
    const names =
      registry === "docker.io" ? ["https://index.docker.io/v1/", "docker.io"] : [registry, `https://${registry}`];
    const found = names.map((name) => all[name]).find((config) => config !== undefined);
    if (found === undefined) return {};
    const { server: _server, ...credentials } = credentialsOf(JSON.stringify(found));
    return credentials;
  };
}

/** One that cannot be read is none, as dockerd has it. */
function serversOf(header: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(header, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
