/**
 * OCI distribution server: what other engines push to and pull from.
 *
 * Words: repository, blob, upload, manifest, tag, referrer, access (who may do what).
 * Owns its blob links, manifests, tags and uploads in the store of its own root; the bytes are the content store's.
 * Invariant: what a manifest here names was here when it was pushed, and no blob is seen before it is whole.
 */
export { type Access, openAccess } from "./access/access.ts";
export { verifyPassword } from "./access/bun-password.ts";
export { HtpasswdAccess } from "./access/htpasswd.ts";
export { Pins, type RegistryContext } from "./context.ts";
export { DistributionApi } from "./http/api.ts";
export { type HttpServer, listen, type TlsFiles } from "./http/bun-server.ts";
export { Registry, type Rules } from "./registry.ts";
