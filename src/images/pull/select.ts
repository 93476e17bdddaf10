import { HavreError } from "../../base/mod.ts";
import { type Descriptor, type Manifest, mediaTypes, type Platform } from "../../spec/mod.ts";
import { parseIndex, parseJson, parseManifest } from "../parse.ts";
import { platformFit } from "../platform.ts";
import type { RemoteManifest, RemoteRepository } from "../registry/remote-repository.ts";

const MAX_DEPTH = 4;

/** An image manifest found behind a reference. */
export interface Selected {
  readonly manifest: Manifest;
  readonly raw: RemoteManifest;
  /** What the reference itself names, when that is an index. */
  readonly index: RemoteManifest | undefined;
}

export function isIndex(mediaType: string): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerManifestList;
}

/** The image manifest for `platform` behind `top`. `not-found` with Docker's text when an index has none. */
export async function selectManifest(
  repository: RemoteRepository,
  top: RemoteManifest,
  platform: Platform,
  signal?: AbortSignal,
): Promise<Selected> {
  let current = top;
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    const { mediaType, digest } = current.descriptor;
    if (!isIndex(mediaType)) {
      return { manifest: imageManifest(current), raw: current, index: current === top ? undefined : top };
    }
    const index = parseIndex(parseJson(current.bytes, `Index ${digest}`), `index ${digest}`);
    const chosen = best(index.manifests, platform);
    current = await repository.manifest(chosen.digest, signal, chosen);
  }
  throw new HavreError("invalid-argument", `Index ${top.descriptor.digest} nests deeper than ${MAX_DEPTH} indexes`);
}

function best(entries: readonly Descriptor[], wanted: Platform): Descriptor {
  const fitting = entries
    .map((entry) => ({ entry, fit: entry.platform ? platformFit(entry.platform, wanted) : 0.5 }))
    .filter(({ entry, fit }) => fit > 0 && entry.annotations?.["vnd.docker.reference.type"] === undefined)
    .sort((a, b) => b.fit - a.fit);
  const [first] = fitting;
  if (first) return first.entry;
  const { os, architecture, variant } = wanted;
  const offered = entries.flatMap(({ platform }) =>
    platform && platform.os !== "unknown"
      ? [[platform.os, platform.architecture, platform.variant].filter(Boolean).join("/")]
      : [],
  );
  throw new HavreError(
    "not-found",
    `no matching manifest for ${[os, architecture, variant].filter(Boolean).join("/")} in the manifest list entries`,
    { hint: `It has: ${[...new Set(offered)].join(", ") || "nothing"}` },
  );
}

function imageManifest({ descriptor, bytes }: RemoteManifest): Manifest {
  const { mediaType, digest } = descriptor;
  if (/manifest\.v1\+(prettyjws|json)$/.test(mediaType) && mediaType !== mediaTypes.ociManifest) {
    throw new HavreError(
      "invalid-argument",
      `[DEPRECATION NOTICE] Docker Image Format v1 and Docker Image manifest version 2, schema 1 support is removed: manifest ${digest} is such`,
      { hint: "Have the image pushed again by a newer tool" },
    );
  }
  const manifest = parseManifest(parseJson(bytes, `Manifest ${digest}`), `manifest ${digest}`);
  const { mediaType: type } = manifest.config;
  if (type === mediaTypes.ociConfig || type === mediaTypes.dockerConfig) return manifest;
  throw new HavreError("invalid-argument", `Encountered remote ${JSON.stringify(type)}(unknown) when fetching`, {
    hint: "What the name points to is not a container image",
  });
}
