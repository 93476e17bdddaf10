/**
 * The standards as types and validators: OCI image and runtime, references, the Docker Engine API. Types carry the
 * standards' own field names; what comes from outside is parsed into them once, at the edge.
 * Owns no state.
 */
export * from "./docker/container.ts";
export { type ContainerBody, decodeContainerBody, decodeContainerCreate } from "./docker/decode-container.ts";
export * from "./docker/decode-requests.ts";
export { endpointNames } from "./docker/endpoint-names.ts";
export { parseExposedPort } from "./docker/exposed-port.ts";
export * from "./docker/go-notation.ts";
export { IgnoreMatcher, readIgnoreFile } from "./docker/ignore-file.ts";
export { decodeNetworkConnect, decodeNetworkCreate, decodeNetworkDisconnect } from "./docker/network.ts";
export { readPatternClass, takePatternCharacter } from "./docker/pattern-class.ts";
export { parseSignal } from "./docker/signals.ts";
export { parseSize } from "./docker/size.ts";
export { ipVersion } from "./ip-version.ts";
export * from "./oci/image.ts";
export * from "./oci/runtime.ts";
export * from "./reference.ts";
