/** How one signs in to a registry: nothing, a name with a password, or a token it gave out earlier. */
export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  /** An OAuth2 refresh token (`identitytoken` of the Docker configuration file). */
  readonly identityToken?: string;
  /** A bearer token to be sent as it is. */
  readonly registryToken?: string;
}

export const anonymous: Credentials = {};

/** The value of an Authorization header for name and password; undefined when there are none. */
export function basicAuthorization({ username = "", password = "" }: Credentials): string | undefined {
  if (username === "" && password === "") return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** True for two that a registry cannot tell apart: their work can be shared. */
export function sameCredentials(a: Credentials, b: Credentials): boolean {
  return (["username", "password", "identityToken", "registryToken"] as const).every(
    (field) => (a[field] ?? "") === (b[field] ?? ""),
  );
}
