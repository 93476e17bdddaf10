import type { ContentStore } from "../../content/mod.ts";
import type { Images } from "../../images/mod.ts";
import type { CacheTransport } from "./transport.ts";

/** The cache that an image of this machine carries. undefined: no such image is here. */
export function localImageCache(images: Images, content: ContentStore, name: string): CacheTransport | undefined {
  const image = images.find(name);
  const digest = image?.manifest;
  if (!image || digest === undefined) return undefined;
  return {
    name,
    manifest: async () => {
      const bytes = await content.read(digest);
      const { mediaType = "" } = JSON.parse(Buffer.from(bytes).toString()) as { readonly mediaType?: string };
      return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
    },
    document: (blob) => content.read(blob),
    // All of an image is here.
    fetch: async () => {},
    send: async () => {},
  };
}
