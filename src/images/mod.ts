/**
 * Names → manifests: import, load, save, tag, remove, commit, history, difference, rollback (pull and push to come).
 *
 * Words: reference, tag, manifest, configuration, image id (digest of the configuration), chain.
 * Owns image and tag objects in the store. Invariant: a tag points to an image whose blobs and layers are all here, and every pointer it
 * ever had is remembered.
 */
export * from "./images.ts";
export { type ImagesOptions, LocalImages } from "./local-images.ts";
