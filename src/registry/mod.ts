/**
 * OCI distribution server: what other engines push to and pull from.
 *
 * Words: repository, blob, upload, manifest, tag, referrer, access (who may do what), rule, mirror (repositories that are
 * another registry's), upkeep (retention, collection), operator (admin of everything), owner (who owns the folder).
 * Owns its blob links, manifests, tags, uploads and waiting notifications in the store of its own root; the bytes are the
 * content store's.
 * Invariant: what a manifest here names was here when it was pushed, and no blob is seen before it is whole.
 */
export { verifyPassword } from "./access/bun-password.ts";
export { type HttpServer, type ListenOptions, listen, listenUnix, type TlsFiles } from "./http/bun-server.ts";
export { OPERATOR_PREFIX } from "./http/operator-api.ts";
export type { Connect, Upstream } from "./mirror/upstream.ts";
export { RegistryService, type ServiceParts } from "./service.ts";
export { readSettings } from "./settings/read-settings.ts";
export { type Mirror, noSettings, type RegistrySettings } from "./settings/settings.ts";
