/**
 * Names → manifests: pull, push, import, load, save, tag, remove, commit, history, difference, rollback.
 *
 * Words: reference, tag, manifest, configuration, image id (digest of the configuration), chain.
 * Owns image and tag objects in the store. Invariant: a tag points to an image whose blobs and layers are all here, and every pointer it
 * ever had is remembered.
 */
export type { Artifacts, OutgoingArtifact, OutgoingBlob, RemotePlace } from "./artifacts.ts";
export type { CheckedImage, CheckedPart } from "./check.ts";
export { decompress, detectCompression } from "./compression.ts";
export * from "./diff/difference.ts";
export * from "./distribution.ts";
export type { DocumentKind, Documents, ImageDocument } from "./documents.ts";
export type { HistoryLine } from "./history.ts";
export * from "./image-history.ts";
export * from "./images.ts";
export { type Collected, type Needs, neededByImages } from "./keeper.ts";
export { type ImagesOptions, LocalImages } from "./local-images.ts";
export type { LogEntry } from "./log.ts";
export type { ImageLayer, ImageMaker, MakeRequest } from "./making.ts";
export type { Origin, Pointer, TagChange } from "./objects.ts";
export { parseIndex, parseJson, parseManifest } from "./parse.ts";
export { pathMatcher } from "./path-match.ts";
export { hostPlatform } from "./platform.ts";
export type { Credentials } from "./registry/credentials.ts";
export type { RemoteManifest } from "./registry/remote-repository.ts";
export { defaultSettings as defaultRegistrySettings, type RegistrySettings } from "./registry/settings.ts";
export type { RollbackTarget, TagHistoryEntry } from "./tag-history.ts";
export { UpstreamRegistry } from "./upstream.ts";
export type { Account, DiskUsage, ImageUsage } from "./usage.ts";
