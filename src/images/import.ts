import { type Digest, HavreError, rfc3339Nano } from "../base/mod.ts";
import { familiarReference, type ImageConfig } from "../spec/mod.ts";
import { assemble } from "./assembly.ts";
import { applyChanges } from "./changes/changes.ts";
import { decompress } from "./compression.ts";
import type { Context } from "./context.ts";
import { imageEvent } from "./events.ts";
import type { ImportRequest, OnProgress } from "./images.ts";
import { parsePlatform } from "./platform.ts";
import { markTagged, pointerTo, recordImage, setTag } from "./record.ts";
import { newTagReference } from "./resolve.ts";

/** `docker import`: an image of one layer from a root file system's tar. */
export async function importImage(
  context: Context,
  request: ImportRequest,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<Digest> {
  const reference = request.repository ? newTagReference(request.repository, request.tag) : undefined;
  const platform = request.platform ? parsePlatform(request.platform, context.platform) : context.platform;
  if (platform.os !== "linux") throw new HavreError("invalid-argument", "operating system is not supported");
  const execution = applyChanges({}, request.changes);

  const image = await assemble(context, async (assembly) => {
    const layer = await assembly.layerFrom(
      undefined,
      decompress(reporting(request.source, onProgress), signal),
      signal,
    );
    const created = rfc3339Nano(context.clock.now());
    const comment = request.message ?? "";
    const config: ImageConfig = {
      architecture: platform.architecture,
      ...(comment === "" ? {} : { comment }),
      config: execution,
      created,
      history: [{ created, ...(comment === "" ? {} : { comment }) }],
      os: platform.os,
      rootfs: { type: "layers", diff_ids: [layer.diffId] },
      ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    };
    const made = await assembly.seal(config, [layer], "import");
    return context.store.update((tx) => {
      const at = context.clock.now();
      const recorded = recordImage(tx, made, at);
      if (reference) {
        setTag(tx, reference, pointerTo(recorded), { at, action: "import" });
        markTagged(tx, recorded.id, at);
      }
      return recorded;
    });
  });
  if (reference) context.emit(imageEvent("tag", image, familiarReference(reference)));
  context.emit(imageEvent("import", image));
  return image.id;
}

async function* reporting(source: AsyncIterable<Uint8Array>, onProgress: OnProgress): AsyncGenerator<Uint8Array> {
  let current = 0;
  let reported = 0;
  for await (const chunk of source) {
    current += chunk.byteLength;
    if (current - reported >= 1 << 20) {
      reported = current;
      onProgress({ status: "Importing", progressDetail: { current } });
    }
    yield chunk;
  }
}
