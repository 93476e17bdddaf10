/** Serves a small image by the tag `right`, and by `lieN` the same with answers changed as the number N has it. Prints its port. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { digestOf } from "../../src/base/mod.ts";
import { encodeTarHeader, TAR_TRAILER, tarPadding } from "../../src/snapshots/mod.ts";
import { type Random, randomFrom } from "../harness/random.ts";
import { mutateBytes, mutateJson } from "./mutate.ts";

const body = Buffer.from("content\n");
const tar = Buffer.concat([
  encodeTarHeader({ path: "f", size: body.length }),
  body,
  tarPadding(body.length),
  TAR_TRAILER,
]);
const layer = gzipSync(tar);
const config = {
  architecture: "amd64",
  os: "linux",
  config: { Cmd: ["true"], Env: ["A=b"] },
  rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
  history: [{ created_by: "x" }],
};

/** The same image, told in one of many wrong ways: its parts fit together unless what ties them is what was changed. */
function image(random: Random | undefined) {
  const blobs = new Map<string, Buffer>();
  const keep = (bytes: Buffer) => blobs.set(digestOf(bytes), bytes);
  const changed = random?.below(4);
  const content = random && changed === 0 ? mutateBytes(layer, random) : layer;
  const configuration = Buffer.from(JSON.stringify(random && changed === 1 ? mutateJson(config, random) : config));
  keep(content);
  keep(configuration);
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: {
      mediaType: "application/vnd.docker.container.image.v1+json",
      digest: digestOf(configuration),
      size: configuration.length,
    },
    layers: [
      {
        mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
        digest: digestOf(content),
        size: content.length,
      },
    ],
  };
  let bytes: Buffer = Buffer.from(JSON.stringify(random && changed === 2 ? mutateJson(manifest, random) : manifest));
  if (random?.below(10) === 0) bytes = mutateBytes(bytes, random);
  return { manifest: bytes, type: manifest.mediaType, blobs };
}

/** Answers that are wrong as HTTP, or wrong about their length or name. */
function answer(
  response: ServerResponse,
  bytes: Buffer,
  headers: Record<string, string>,
  random: Random | undefined,
): void {
  const lie = random?.below(14);
  if (lie === 0)
    response.writeHead(random?.pick([401, 404, 429, 500, 503, 302, 206, 416]) ?? 500, {
      ...headers,
      Location: "/loop",
      "Retry-After": "0",
    });
  else if (lie === 1) response.writeHead(200, { ...headers, "Content-Length": bytes.length + 10 });
  else if (lie === 2) response.writeHead(200, { ...headers, "Docker-Content-Digest": "sha256:x" });
  else if (lie === 3) response.writeHead(200, { "Content-Type": "text/html" });
  else response.writeHead(200, headers);
  if (lie === 4) response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
  else if (lie === 5 && random) response.end(mutateBytes(bytes, random));
  else if (lie === 1) response.write(bytes, () => response.destroy());
  else response.end(bytes);
}

const known = new Map<string, { readonly bytes: Buffer; readonly random: Random | undefined }>();
const server = createServer((request, response) => {
  const path = request.url ?? "";
  const tag = /\/manifests\/(right|lie(\d+))$/.exec(path);
  if (tag) {
    const random = tag[2] === undefined ? undefined : randomFrom(Number(tag[2]));
    const { manifest, type, blobs } = image(random);
    if (known.size > 1000) known.clear();
    for (const [digest, bytes] of blobs) known.set(digest, { bytes, random });
    known.set(digestOf(manifest), { bytes: manifest, random });
    return answer(response, manifest, { "Content-Type": type, "Docker-Content-Digest": digestOf(manifest) }, random);
  }
  const digest = /\/(?:manifests|blobs)\/(sha256:.*)$/.exec(path)?.[1];
  const found = digest === undefined ? undefined : known.get(digest);
  if (found)
    return answer(
      response,
      found.bytes,
      {
        "Content-Type": /manifests/.test(path)
          ? "application/vnd.docker.distribution.manifest.v2+json"
          : "application/octet-stream",
      },
      found.random,
    );
  response.writeHead(path === "/v2/" ? 200 : path === "/loop" ? 302 : 404, { Location: "/loop" });
  response.end("{}");
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
