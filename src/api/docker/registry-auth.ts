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
