import { type Digest, HavreError, isDigest } from "../base/mod.ts";
import type { Descriptor, ImageConfig, Index, Manifest } from "../spec/mod.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Largest JSON document of an image, as registries limit manifests (distribution specification: 4 MiB at least). */
export const MAX_DOCUMENT = 8 << 20;

/** `invalid-argument` saying what is not JSON. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new HavreError("invalid-argument", `${what} is not JSON`, { cause: error });
  }
}

/** One image of a Docker archive's manifest.json. */
export interface DockerItem {
  readonly config: string;
  readonly repoTags: readonly string[];
  readonly layers: readonly string[];
  readonly parent: Digest | undefined;
}

export function parseDockerManifest(value: unknown): readonly DockerItem[] {
  if (value === null) throw wrong("invalid manifest, manifest cannot be null (but can be [])");
  return list(value, "manifest.json").map((item, at) => {
    const what = `manifest.json, image ${at + 1}`;
    const fields = object(item, what);
    const parent = fields.Parent;
    return {
      config: text(fields.Config, `${what}: Config`),
      repoTags: list(fields.RepoTags ?? [], `${what}: RepoTags`).map((tag) => text(tag, `${what}: RepoTags`)),
      layers: list(fields.Layers ?? [], `${what}: Layers`).map((layer) => text(layer, `${what}: Layers`)),
      parent: typeof parent === "string" && isDigest(parent) ? parent : undefined,
    };
  });
}

/** An image configuration; unknown fields are kept (its bytes are what counts). */
export function parseConfig(value: unknown, what: string): ImageConfig {
  const fields = object(value, what);
  if (fields.rootfs === undefined || fields.rootfs === null) {
    throw wrong(`invalid image JSON, no RootFS key`, what);
  }
  const rootfs = object(fields.rootfs, `${what}: rootfs`);
  const diffIds = list(rootfs.diff_ids ?? [], `${what}: rootfs.diff_ids`).map((id) =>
    digest(id, `${what}: rootfs.diff_ids`),
  );
  if (fields.config !== undefined && fields.config !== null)
    checkExecution(object(fields.config, `${what}: config`), what);
  for (const name of ["created", "author", "comment", "variant", "os.version", "container", "docker_version"]) {
    optionalText(fields[name], `${what}: ${name}`);
  }
  for (const entry of list(fields.history ?? [], `${what}: history`))
    checkStep(object(entry, `${what}: history`), what);
  return {
    ...(fields as Partial<ImageConfig>),
    architecture: optionalText(fields.architecture, `${what}: architecture`),
    os: optionalText(fields.os, `${what}: os`) || "linux",
    ...(fields.config ? {} : { config: {} }),
    ...(fields.history ? {} : { history: [] }),
    rootfs: { type: "layers", diff_ids: diffIds },
  };
}

function checkStep(fields: Fields, what: string): void {
  for (const name of ["created", "created_by", "author", "comment"]) {
    optionalText(fields[name], `${what}: history.${name}`);
  }
}

/** What a container would be started with must have the shape its readers rely on. */
function checkExecution(fields: Fields, what: string): void {
  for (const name of ["Env", "Cmd", "Entrypoint", "OnBuild", "Shell"]) {
    for (const item of list(fields[name] ?? [], `${what}: ${name}`)) text(item, `${what}: ${name}`);
  }
  for (const name of ["ExposedPorts", "Volumes"]) object(fields[name] ?? {}, `${what}: ${name}`);
  for (const label of Object.values(object(fields.Labels ?? {}, `${what}: Labels`))) text(label, `${what}: Labels`);
  for (const name of ["User", "WorkingDir", "StopSignal"]) optionalText(fields[name], `${what}: ${name}`);
  const check = object(fields.Healthcheck ?? {}, `${what}: Healthcheck`);
  for (const word of list(check.Test ?? [], `${what}: Healthcheck.Test`)) text(word, `${what}: Healthcheck.Test`);
  for (const name of ["Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"]) {
    if (check[name] !== undefined && typeof check[name] !== "number") {
      throw wrong(`${what}: Healthcheck.${name} is not a number`);
    }
  }
}

export function parseManifest(value: unknown, what: string): Manifest {
  const fields = object(value, what);
  // Some writers leave it out or at zero, and Docker takes that: only another version is another format.
  if ((fields.schemaVersion ?? 0) !== 0 && fields.schemaVersion !== 2) throw wrong(`${what} has not schemaVersion 2`);
  return {
    ...(fields as Partial<Manifest>),
    schemaVersion: 2,
    config: descriptor(fields.config, `${what}: config`),
    layers: list(fields.layers, `${what}: layers`).map((layer) => descriptor(layer, `${what}: layers`)),
  };
}

export function parseIndex(value: unknown, what: string): Index {
  const fields = object(value, what);
  return {
    ...(fields as Partial<Index>),
    schemaVersion: 2,
    manifests: list(fields.manifests, `${what}: manifests`).map((item) => descriptor(item, `${what}: manifests`)),
  };
}

function descriptor(value: unknown, what: string): Descriptor {
  const fields = object(value, what);
  const size = fields.size;
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw wrong(`${what}: size is not a number of bytes`);
  const annotations =
    fields.annotations === undefined || fields.annotations === null ? {} : object(fields.annotations, what);
  for (const annotation of Object.values(annotations)) text(annotation, `${what}: annotations`);
  if (fields.platform !== undefined && fields.platform !== null) {
    const platform = object(fields.platform, `${what}: platform`);
    for (const name of ["architecture", "os"]) text(platform[name], `${what}: platform.${name}`);
    optionalText(platform.variant, `${what}: platform.variant`);
  }
  return {
    ...(fields as Partial<Descriptor>),
    mediaType: text(fields.mediaType, `${what}: mediaType`),
    digest: digest(fields.digest, `${what}: digest`),
    size,
  };
}

export function object(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(`${what} is not an object`);
  return value as Fields;
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(`${what} is not a list`);
  return value;
}

export function text(value: unknown, what: string): string {
  if (typeof value !== "string") throw wrong(`${what} is not text`);
  return value;
}

function optionalText(value: unknown, what: string): string {
  return value === undefined || value === null ? "" : text(value, what);
}

function digest(value: unknown, what: string): Digest {
  const digest = text(value, what);
  if (!isDigest(digest)) throw wrong(`${what} is not a digest: ${JSON.stringify(digest.slice(0, 100))}`);
  return digest;
}

function wrong(message: string, where?: string): HavreError {
  return new HavreError("invalid-argument", message, where === undefined ? {} : { hint: `The fault is in ${where}` });
}
