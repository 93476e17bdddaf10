/** `havre registry serve`, asked in wrong ways; what is served stays whole meanwhile. */
import { digestOf } from "../../src/base/mod.ts";
import { ServedRegistry } from "../harness/mod.ts";
import { mutateBytes, mutateJson, mutateText } from "./mutate.ts";
import { encodeRequest, Finding, type Outcome, rawRequest, refuseMistakes, type Surface } from "./surface.ts";

const BLOB = Buffer.from("{}");
const MANIFEST = {
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  config: { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(BLOB), size: BLOB.length },
  layers: [{ mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(BLOB), size: BLOB.length }],
};
const TARGETS = [
  "/v2/",
  "/v2/_catalog?n=2&last=a",
  "/v2/fuzz/tags/list?n=1",
  "/v2/fuzz/manifests/right",
  `/v2/fuzz/manifests/${digestOf(BLOB)}`,
  "/v2/fuzz/manifests/other",
  `/v2/fuzz/blobs/${digestOf(BLOB)}`,
  "/v2/fuzz/blobs/uploads/",
  `/v2/fuzz/blobs/uploads/?digest=${digestOf(BLOB)}`,
  `/v2/other/blobs/uploads/?mount=${digestOf(BLOB)}&from=fuzz`,
  "/v2/fuzz/blobs/uploads/00000000-0000-0000-0000-000000000000",
  `/v2/fuzz/referrers/${digestOf(BLOB)}?artifactType=a`,
  "/",
  "/metrics",
  "/ui/fuzz",
  "/havre/v1/registry",
];
const METHODS = ["GET", "GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE"];

export async function registry(): Promise<Surface & AsyncDisposable & { pid: number }> {
  const served = new ServedRegistry();
  await served.start();
  let read = 0;
  const put = async () => {
    await fetch(`${served.url}/v2/fuzz/blobs/uploads/?digest=${digestOf(BLOB)}`, { method: "POST", body: BLOB });
    const headers = { "Content-Type": MANIFEST.mediaType };
    const body = JSON.stringify(MANIFEST);
    await fetch(`${served.url}/v2/fuzz/manifests/right`, { method: "PUT", headers, body });
  };
  await put();
  return {
    pid: served.pid,
    async feed(random): Promise<Outcome> {
      const method = random.pick(METHODS);
      const target = random.pick(TARGETS);
      const path =
        random.below(3) === 0
          ? target
          : mutateText(target, random).replace(/[\0-\x20\x7f-\u{10ffff}]/gu, encodeURIComponent);
      const headers: Record<string, string> = { "Content-Type": random.pick([MANIFEST.mediaType, "text/plain", ""]) };
      if (random.below(4) === 0) headers.Range = mutateText("bytes=0-1", random).replace(/[\r\n]/g, "");
      if (random.below(4) === 0) headers["Content-Range"] = mutateText("0-1", random).replace(/[\r\n]/g, "");
      if (random.below(8) === 0) headers.Authorization = mutateText("Basic YTpi", random).replace(/[\r\n]/g, "");
      const json = Buffer.from(JSON.stringify(mutateJson(MANIFEST, random)));
      const body = /GET|HEAD/.test(method) ? undefined : random.pick([BLOB, json, mutateBytes(json, random)]);
      let request = encodeRequest(method, path, headers, body);
      const whole = random.below(15) > 0;
      if (!whole) request = mutateBytes(request, random);
      const answer = await rawRequest({ host: "127.0.0.1", port: served.port }, request, whole);
      refuseMistakes(answer?.body ?? "", request);
      if (answer && answer.status >= 500 && answer.status < 505)
        throw new Finding(`status ${answer.status}: ${answer.body.slice(0, 300)}`, request);
      return answer && answer.status < 400 ? "taken" : "refused";
    },
    async check() {
      refuseMistakes(served.log.slice(read), "see the log");
      read = served.log.length;
      // A right DELETE may have been among them.
      await put();
      const manifest = await (await fetch(`${served.url}/v2/fuzz/manifests/right`)).text();
      if (manifest !== JSON.stringify(MANIFEST)) throw new Finding("what was pushed is not what is served", manifest);
    },
    async [Symbol.asyncDispose]() {
      await served.end();
      await served[Symbol.asyncDispose]?.();
    },
  };
}
