/**
 * User ids of containers: which ids of the host a container's own stand for, and what is shown to it with right owners.
 *
 * Words: range (ids of the host that one container has for itself), sub-ids (what the host sets aside for a user, subuid(5)),
 * owners (a user namespace with those ids), mapped source (a file or folder of the host shown with a container's owners).
 * Owns id range objects in the store and `<run>/mapped`. Invariants: no two containers have an id in common unless one joined
 * the other; files keep on disk the owner they have inside, so that ranges come and go without a chown.
 */
export type { IdMap, UserNamespace } from "../kernel/mod.ts";
export { ensureHostUser, HOST_USER, MAKE_HOST_USER, readSubIds } from "./host-user.ts";
export { Identities, type IdentitiesOptions, type IdsRequest, type Owners } from "./identities.ts";
export { MappedSources, openTo } from "./mapped-sources.ts";
export { parseUserns, type UsernsMode } from "./mode.ts";
