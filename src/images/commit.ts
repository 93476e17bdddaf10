import { type Digest, digestOf, HavreError, rfc3339Nano } from "../base/mod.ts";
import {
  type ExecutionConfig,
  familiarReference,
  type HistoryEntry,
  type ImageConfig,
  mediaTypes,
  parseReference,
  withDefaultTag,
} from "../spec/mod.ts";
import { type AssembledLayer, type Assembly, assemble } from "./assembly.ts";
import { applyChanges } from "./changes/changes.ts";
import type { Context } from "./context.ts";
import { imageEvent } from "./events.ts";
import type { CommitRequest } from "./images.ts";
import { type ImageObject, imageKind } from "./objects.ts";
import { markTagged, pointerTo, recordImage, setTag } from "./record.ts";

/** A tar of nothing: two blocks of zeros. */
const EMPTY_LAYER = digestOf(new Uint8Array(1024));

/**
 * `docker commit`: the image of a container's writable layer on its image. The container's image becomes the parent.
 * `not-found` when that image was removed meanwhile.
 */
export async function commitContainer(context: Context, request: CommitRequest): Promise<Digest> {
  const { container } = request;
  const reference = request.reference ? withDefaultTag(parseReference(request.reference)) : undefined;
  if (reference?.digest !== undefined) {
    throw new HavreError("invalid-argument", "refusing to create a tag with a digest reference");
  }
  const execution = completed(applyChanges(container.config, request.changes), container.config);
  const image = await assemble(context, async (assembly) => {
    const parent = parentOf(context, container.imageId);
    const below = await layersOf(assembly, parent);
    const blob = await context.content.ingest(context.snapshots.diff(container.layerKey));
    const isEmpty = blob.digest === EMPTY_LAYER;
    const diffIds = below.map((layer) => layer.diffId);
    const layers = isEmpty
      ? below
      : [
          ...below,
          {
            ...(await assembly.layer([...diffIds, blob.digest], { mediaType: mediaTypes.ociLayer, ...blob })),
            container: container.id,
          },
        ];
    const config = childConfig(context, request, parent, execution, layers, isEmpty);
    const made = await assembly.seal(config, layers, "commit", parent?.id);
    return context.store.update((tx) => {
      if (parent && tx.get(imageKind, parent.id) === undefined) throw noParent(parent.id);
      const at = context.clock.now();
      const recorded = recordImage(tx, made, at);
      if (reference) {
        setTag(tx, reference, pointerTo(recorded), { at, action: "commit" });
        markTagged(tx, recorded.id, at);
      }
      return recorded;
    });
  });
  if (reference) context.emit(imageEvent("tag", image, familiarReference(reference)));
  return image.id;
}

function parentOf(context: Context, id: Digest | undefined): ImageObject | undefined {
  if (id === undefined) return undefined;
  const parent = context.store.view((tx) => tx.get(imageKind, id));
  if (!parent || parent.removedAt !== undefined) throw noParent(id);
  return parent;
}

function noParent(id: Digest): HavreError {
  return new HavreError("not-found", `No such image: ${id}`, {
    hint: "The container's image was removed; load or pull it again to commit the container, or export it",
  });
}

/** The parent's layers as they came, held like the new one. */
async function layersOf(assembly: Assembly, parent: ImageObject | undefined): Promise<readonly AssembledLayer[]> {
  const diffIds = parent?.config.rootfs.diff_ids ?? [];
  const layers: AssembledLayer[] = [];
  for (const [at, blob] of (parent?.manifests[0]?.layers ?? []).entries()) {
    layers.push(await assembly.layer(diffIds.slice(0, at + 1), blob));
  }
  return layers;
}

function childConfig(
  context: Context,
  { container, author = "", message = "" }: CommitRequest,
  parent: ImageObject | undefined,
  execution: ExecutionConfig,
  layers: readonly AssembledLayer[],
  isEmpty: boolean,
): ImageConfig {
  const created = rfc3339Nano(context.clock.now());
  const step: HistoryEntry = {
    created,
    ...(container.command === "" ? {} : { created_by: container.command }),
    ...(author === "" ? {} : { author }),
    ...(message === "" ? {} : { comment: message }),
    ...(isEmpty ? { empty_layer: true } : {}),
  };
  const { architecture, os, variant } = parent?.config ?? context.platform;
  const osVersion = parent?.config["os.version"];
  return {
    architecture: architecture || context.platform.architecture,
    ...(author === "" ? {} : { author }),
    ...(message === "" ? {} : { comment: message }),
    config: execution,
    container: container.id,
    created,
    history: [...(parent?.config.history ?? []), step],
    os,
    ...(osVersion === undefined ? {} : { "os.version": osVersion }),
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    ...(variant === undefined ? {} : { variant }),
  };
}

/** What the changes left empty comes from the container again, as Docker has it: `CMD []` alone changes nothing. */
function completed(config: ExecutionConfig, base: ExecutionConfig): ExecutionConfig {
  const isEmpty = (list: readonly string[] | null | undefined) => !list || list.length === 0;
  const inherit = isEmpty(config.Entrypoint);
  return {
    ...config,
    ...(config.User || !base.User ? {} : { User: base.User }),
    ...(config.WorkingDir || !base.WorkingDir ? {} : { WorkingDir: base.WorkingDir }),
    ...(inherit && isEmpty(config.Cmd) && base.Cmd ? { Cmd: base.Cmd } : {}),
    ...(inherit && !config.Entrypoint && base.Entrypoint ? { Entrypoint: base.Entrypoint } : {}),
    ...(config.Healthcheck && base.Healthcheck
      ? { Healthcheck: { ...base.Healthcheck, ...nonZero(config.Healthcheck) } }
      : {}),
  };
}

function nonZero(check: NonNullable<ExecutionConfig["Healthcheck"]>): NonNullable<ExecutionConfig["Healthcheck"]> {
  return Object.fromEntries(
    Object.entries(check).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value)),
  );
}
