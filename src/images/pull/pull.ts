import { HavreError } from "../../base/mod.ts";
import {
  familiarName,
  familiarReference,
  type ImageConfig,
  type Platform,
  parseReference,
  type Reference,
  withDefaultTag,
} from "../../spec/mod.ts";
import type { ReadTransaction } from "../../store/mod.ts";
import { type AssembledLayer, type Assembly, assemble } from "../assembly.ts";
import type { Context } from "../context.ts";
import type { PullRequest } from "../distribution.ts";
import { imageEvent } from "../events.ts";
import type { OnProgress } from "../images.ts";
import { type ImageObject, imageKind, type Pointer, type StoredManifest, tagKind } from "../objects.ts";
import { MAX_DOCUMENT, parseConfig, parseJson } from "../parse.ts";
import { parsePlatform, platformFit, requirePlatform } from "../platform.ts";
import { markTagged, recordImage, setTag } from "../record.ts";
import { RegistryError } from "../registry/failures.ts";
import type { Registries } from "../registry/registry.ts";
import type { RemoteManifest, RemoteRepository } from "../registry/remote-repository.ts";
import { tagKey } from "../resolve.ts";
import { Savings } from "../savings.ts";
import type { DownloadListener, Downloads } from "./downloads.ts";
import { LayerProgress } from "./layer-progress.ts";
import { type Selected, selectManifest } from "./select.ts";

const SILENT_LISTENER: DownloadListener = {
  waiting: () => {},
  progress: () => {},
  verifying: () => {},
  reused: () => {},
};

/** What pulls work with. */
export interface Source {
  readonly context: Context;
  readonly registries: Registries;
  readonly downloads: Downloads;
}

/** `docker pull`: see `Distribution.pull`. */
export async function pullImage(
  source: Source,
  request: PullRequest,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<void> {
  const named = parseReference(request.reference);
  // A platform that is none is told before anything is asked of a registry.
  if (request.platform) parsePlatform(request.platform, source.context.platform);
  const { credentials } = request;
  await source.registries.withRepository(named, credentials, false, async (repository) => {
    if (!request.allTags) {
      await pullOne(source, repository, withDefaultTag(named), request, onProgress, signal);
      return;
    }
    if (named.tag !== undefined || named.digest !== undefined)
      throw new HavreError("invalid-argument", "tag can't be used with --all-tags/-a");
    for await (const tag of translated(repository.tags(signal), named)) {
      await pullOne(source, repository, { ...named, tag }, request, onProgress, signal);
    }
  });
}

async function* translated<T>(items: AsyncIterable<T>, reference: Reference): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    throw explained(error, reference);
  }
}

async function pullOne(
  source: Source,
  repository: RemoteRepository,
  reference: Reference,
  request: PullRequest,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<void> {
  const { context } = source;
  const top = await remoteManifest(repository, reference, signal);
  onProgress({ status: `Pulling from ${repository.path}`, id: reference.digest ?? reference.tag ?? "" });
  const platform = request.platform ? parsePlatform(request.platform, context.platform) : undefined;
  const selected = await selectManifest(repository, top, platform ?? context.platform, signal);
  const { image, fresh } = await assemble(context, async (assembly) => {
    const arrived = await bring(source, repository, selected, assembly, { reference, platform }, onProgress, signal);
    signal?.throwIfAborted();
    return record(context, reference, request.beside === true, top, arrived);
  });
  onProgress({ status: `Digest: ${top.descriptor.digest}` });
  const name = familiarReference(reference);
  onProgress({ status: `Status: ${fresh ? "Downloaded newer image for" : "Image is up to date for"} ${name}` });
  context.emit(imageEvent("pull", image, name));
}

/** The manifest that a reference names, or why there is none in the words of `docker pull`. */
export async function remoteManifest(
  repository: RemoteRepository,
  reference: Reference,
  signal?: AbortSignal,
): Promise<RemoteManifest> {
  try {
    return await repository.manifest(reference.digest ?? reference.tag ?? "latest", signal);
  } catch (error) {
    throw explained(error, reference);
  }
}

function explained(error: unknown, reference: Reference): unknown {
  if (!(error instanceof HavreError)) return error;
  const denied = error.kind === "unauthenticated" || error.kind === "permission-denied";
  if (denied || (error instanceof RegistryError && error.code === "NAME_UNKNOWN" && reference.domain === "docker.io")) {
    return new HavreError(
      "not-found",
      `pull access denied for ${familiarName(reference)}, repository does not exist or may require 'docker login': ${error.message}`,
      {
        cause: error,
        hint: `Sign in with: havre login ${reference.domain === "docker.io" ? "" : reference.domain}`.trim(),
      },
    );
  }
  if (error.kind === "not-found")
    return new HavreError("not-found", `manifest for ${familiarReference(reference)} not found: ${error.message}`, {
      cause: error,
    });
  return error;
}

interface Arrived {
  readonly image: Awaited<ReturnType<Assembly["describe"]>>;
  readonly reused: boolean;
}

/** Fetches what is missing of an image, layers beside each other, and makes their trees, one on the other. */
async function bring(
  source: Source,
  repository: RemoteRepository,
  { manifest, raw, index }: Selected,
  assembly: Assembly,
  asked: { readonly reference: Reference; readonly platform: Platform | undefined },
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<Arrived> {
  const { content, snapshots, clock } = source.context;
  const stored: StoredManifest = {
    descriptor: raw.descriptor,
    layers: manifest.layers,
    ...(index === undefined ? {} : { index: index.descriptor }),
  };
  for (const document of index === undefined ? [raw] : [index, raw])
    await content.put(document.bytes, document.descriptor);
  const stop = new AbortController();
  const joined = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const savings = new Savings();
  const layers = manifest.layers.map((blob) => {
    const progress = new LayerProgress(blob.digest, blob.size, onProgress, () => clock.now(), savings);
    progress.status("Pulling fs layer");
    const here = content.has(blob.digest);
    const done = here ? Promise.resolve() : download(source.downloads, repository, blob, progress, joined);
    done.catch(() => {}); // Awaited in order below, perhaps never when an earlier one fails.
    return { blob, progress, here, done };
  });
  try {
    const config = await fetchConfig(source, repository, manifest.config, joined);
    if (asked.platform) requirePlatform(familiarReference(asked.reference), config, asked.platform);
    checkConfig(config, manifest.layers.length, familiarReference(asked.reference));
    const diffIds = config.rootfs.diff_ids;
    const made: AssembledLayer[] = [];
    let reused = true;
    for (const [at, { blob, progress, here, done }] of layers.entries()) {
      await done;
      const before = snapshots.layers().length;
      const layer = await assembly.layer(diffIds.slice(0, at + 1), blob, joined, (current) =>
        progress.extracting(current),
      );
      const known = here && snapshots.layers().length === before;
      reused &&= known;
      progress.status(known ? "Already exists" : "Pull complete");
      made.push(layer);
    }
    savings.tell(onProgress, "received");
    const image = await assembly.describe(
      config,
      manifest.config.digest,
      manifest.config.size,
      made,
      "pull",
      undefined,
      stored,
    );
    return { image, reused };
  } finally {
    stop.abort();
    await Promise.allSettled(layers.map(({ done }) => done));
  }
}

async function download(
  downloads: Downloads,
  repository: RemoteRepository,
  blob: { readonly digest: Selected["raw"]["descriptor"]["digest"]; readonly size: number },
  progress: LayerProgress,
  signal: AbortSignal,
): Promise<void> {
  await downloads.fetch(repository, blob, progress, signal);
  progress.status("Download complete");
}

async function fetchConfig(
  { downloads, context }: Source,
  repository: RemoteRepository,
  descriptor: Selected["manifest"]["config"],
  signal: AbortSignal,
): Promise<ImageConfig> {
  const what = `Configuration ${descriptor.digest}`;
  if (descriptor.size > MAX_DOCUMENT)
    throw new HavreError(
      "resource-exhausted",
      `${what} has ${descriptor.size} bytes, more than the ${MAX_DOCUMENT} allowed`,
    );
  await downloads.fetch(repository, descriptor, SILENT_LISTENER, signal);
  return parseConfig(parseJson(await context.content.read(descriptor.digest, MAX_DOCUMENT), what), what);
}

function checkConfig(config: ImageConfig, layers: number, name: string): void {
  if (config.os === "windows")
    throw new HavreError("invalid-argument", `image operating system "windows" cannot be used on this platform`);
  const { length } = config.rootfs.diff_ids;
  if (length !== layers)
    throw new HavreError("invalid-argument", `${name}: the configuration has ${length} layers, the manifest ${layers}`);
}

/** Image, tag and digest name in one transaction. `fresh`: the name means something else now, or for the first time. */
async function record(
  { store, clock, platform }: Context,
  reference: Reference,
  beside: boolean,
  top: RemoteManifest,
  { image: made, reused }: Arrived,
): Promise<{ readonly image: ImageObject; readonly fresh: boolean }> {
  return store.update((tx) => {
    const at = clock.now();
    const before = tx.get(tagKind, tagKey(reference))?.current;
    const image = recordImage(tx, made, at);
    const pointer = { image: image.id, manifest: made.manifest.descriptor.digest };
    const { domain, path } = reference;
    const named: Pointer = beside ? besides(tx, before, pointer, platform) : pointer;
    setTag(tx, reference, named, { at, action: "pull" });
    // Each of several is named by itself, too: the digest of the index is one name only.
    if (named.others) setTag(tx, { domain, path, digest: pointer.manifest }, pointer, { at, action: "pull" });
    setTag(tx, { domain, path, digest: top.descriptor.digest }, pointer, { at, action: "pull" });
    markTagged(tx, image.id, at);
    return { image, fresh: !reused || before?.image !== image.id };
  });
}

/** One name for the same image on several platforms: the one for this machine first. */
function besides(tx: ReadTransaction, before: Pointer | undefined, pulled: Pointer, host: Platform): Pointer {
  const all = before ? [before, ...(before.others ?? [])] : [];
  const platformOf = ({ image }: Pointer) => {
    const { os, architecture, variant = "" } = tx.get(imageKind, image)?.config ?? { os: "", architecture: "" };
    return `${os}/${architecture}/${variant}`;
  };
  const kept = all.filter((one) => platformOf(one) !== platformOf(pulled));
  const fit = ({ image }: Pointer) => {
    const config = tx.get(imageKind, image)?.config;
    return config ? platformFit(config, host) : 0;
  };
  const [first = pulled, ...others] = [pulled, ...kept].sort((a, b) => fit(b) - fit(a));
  const { image, manifest } = first;
  if (others.length === 0) return { image, manifest };
  return { image, manifest, others: others.map((other) => ({ image: other.image, manifest: other.manifest })) };
}
