import { isHavreError } from "../../base/mod.ts";
import type { FetchOptions } from "../classic/classic-builds.ts";
import type { Session } from "./session.ts";
import { CredentialsRequestSchema, CredentialsResponseSchema } from "./wire/session.ts";

const CREDENTIALS = "/moby.filesync.v1.Auth/Credentials";
const HUB = "docker.io";
/** What clients call Docker Hub when they are asked for its credentials. */
const HUB_HOST = "registry-1.docker.io";

/** What the client has for a registry; nothing when it has nothing. */
export async function credentialsFor(
  session: Session,
  registry: string,
  signal: AbortSignal,
): Promise<ReturnType<FetchOptions["credentials"]>> {
  if (!session.offers(CREDENTIALS)) return {};
  const host = registry === HUB ? HUB_HOST : registry;
  try {
    const { rpc } = session;
    const { username, secret } = await rpc.ask(
      CREDENTIALS,
      CredentialsRequestSchema,
      { host },
      CredentialsResponseSchema,
      signal,
    );
    if (secret === "") return {};
    // Without a name the secret is an identity token.
    return username === "" ? { identityToken: secret } : { username, password: secret };
  } catch (error) {
    if (isHavreError(error, "not-found") || isHavreError(error, "not-implemented")) return {};
    throw error;
  }
}
