import { type Digest, isDigest } from "../base/mod.ts";
import { mediaTypes } from "../spec/mod.ts";
import { RegistryFault } from "./fault.ts";

/** What a manifest's bytes say that a registry goes by. */
export interface ManifestBody {
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: Digest;
  readonly blobs: readonly Named[];
  readonly manifests: readonly Named[];
  /** Bytes of all that it names. */
  readonly contentSize: number;
}

interface Named {
  readonly digest: Digest;
  readonly size: number;
}

const LISTS: readonly string[] = [mediaTypes.ociIndex, mediaTypes.dockerManifestList];
const IMAGES: readonly string[] = [mediaTypes.ociManifest, mediaTypes.dockerManifest];
/** Layers that may not be handed on: they are where their URLs say, not here. */
const NON_DISTRIBUTABLE = /^application\/vnd\.oci\.image\.layer\.nondistributable\.|\.foreign\./;

/**
 * Reads a manifest that was sent as `contentType`. A type that nobody here knows is taken too, when it is JSON: what it
 * names by `config`, `layers`, `blobs` or `manifests` is held to the same rules. MANIFEST_INVALID says what is wrong.
 */
export function readManifest(bytes: Uint8Array, contentType: string | undefined): ManifestBody {
  const body = parse(bytes);
  const said = text(body.mediaType, "mediaType");
  const sent = contentType?.split(";")[0]?.trim();
  if (said !== undefined && sent !== undefined && sent !== said && !isVague(sent)) {
    throw invalid(`mediaType is ${said}, Content-Type ${sent}`);
  }
  const mediaType = said ?? (sent !== undefined && !isVague(sent) ? sent : guess(body));
  if (body.schemaVersion === 1 || mediaType.startsWith("application/vnd.docker.distribution.manifest.v1")) {
    throw invalid("schema 1 is not supported: push with a newer client");
  }
  if (LISTS.includes(mediaType) && !Array.isArray(body.manifests)) throw invalid("an index needs manifests");
  if (IMAGES.includes(mediaType)) {
    if (body.schemaVersion !== 2) throw invalid("schemaVersion is not 2");
    if (!isObject(body.config)) throw invalid("a manifest needs a config");
    if (!Array.isArray(body.layers)) throw invalid("a manifest needs layers");
  }
  const config = body.config === undefined || body.config === null ? [] : [descriptor(body.config, "config")];
  const layers = [...descriptors(body.layers, "layers"), ...descriptors(body.blobs, "blobs")];
  const manifests = descriptors(body.manifests, "manifests");
  const subject = body.subject === undefined || body.subject === null ? undefined : descriptor(body.subject, "subject");
  const artifactType = text(body.artifactType, "artifactType") || config[0]?.mediaType;
  const annotations = readAnnotations(body.annotations);
  return {
    mediaType,
    ...(artifactType ? { artifactType } : {}),
    ...(annotations ? { annotations } : {}),
    ...(subject ? { subject: subject.digest } : {}),
    blobs: [...config, ...layers.filter(({ mediaType }) => !NON_DISTRIBUTABLE.test(mediaType))],
    manifests,
    contentSize: [...config, ...layers, ...manifests].reduce((sum, { size }) => sum + size, 0),
  };
}

/** Types that say nothing of what is inside. */
function isVague(type: string): boolean {
  return type === "" || type === "application/json" || type === "application/octet-stream";
}

function guess(body: Readonly<Record<string, unknown>>): string {
  if (Array.isArray(body.manifests)) return mediaTypes.ociIndex;
  if (Array.isArray(body.layers)) return mediaTypes.ociManifest;
  throw invalid("no Content-Type and no mediaType");
}

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid("it is not JSON", cause);
  }
  if (!isObject(value)) throw invalid("it is not a JSON object");
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw invalid(`${name} is not a string`);
  return value === "" ? undefined : value;
}

function descriptors(value: unknown, name: string): readonly (Named & { readonly mediaType: string })[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(`${name} is not a list`);
  return value.map((one: unknown, index) => descriptor(one, `${name}[${index}]`));
}

function descriptor(value: unknown, name: string): Named & { readonly mediaType: string } {
  if (!isObject(value)) throw invalid(`${name} is not a descriptor`);
  const { digest, size } = value;
  if (typeof digest !== "string" || !isDigest(digest)) throw invalid(`${name} has no digest that is supported`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw invalid(`${name} has no size`);
  return { digest, size, mediaType: text(value.mediaType, `${name}.mediaType`) ?? "" };
}

function readAnnotations(value: unknown): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw invalid("annotations are not an object");
  for (const [key, one] of Object.entries(value)) {
    if (typeof one !== "string") throw invalid(`annotation ${key} is not a string`);
  }
  return value as Readonly<Record<string, string>>;
}

function invalid(why: string, cause?: unknown): RegistryFault {
  return new RegistryFault("MANIFEST_INVALID", `manifest invalid: ${why}`, { detail: why, cause });
}
