import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { digestOf, isHavreError } from "../base/mod.ts";
import type { ProgressMessage } from "./images.ts";
import { refuse, SmallRegistry } from "./registry/testing/small-registry.ts";
import { Workshop } from "./testing/workshop.ts";

const IMAGE_TYPE = "application/vnd.oci.image";

/** A workshop with an image of some size, pushed to the registry as `name`. */
async function pushed(registry: SmallRegistry, name: string, text = randomBytes(300_000).toString("hex")) {
  using shop = new Workshop();
  const reference = `${registry.host}/${name}`;
  const id = await shop.make("made:1", text);
  await shop.images.tag("made:1", reference);
  await shop.images.distribution.push({ reference, credentials: {} }, () => {});
  return { reference, id };
}

const pull = async (shop: Workshop, reference: string, more = {}, signal?: AbortSignal) => {
  const messages: ProgressMessage[] = [];
  await shop.images.distribution.pull(
    { reference, credentials: {}, ...more },
    (message) => messages.push(message),
    signal,
  );
  return messages.flatMap(({ status }) => status ?? []);
};

test("what is pushed is pulled elsewhere as the same image, by tag and by digest", async () => {
  await using registry = await SmallRegistry.start();
  const { reference, id } = await pushed(registry, "team/app:1");
  using shop = new Workshop();
  const said = await pull(shop, reference);
  expect(said.at(-1)).toBe(`Status: Downloaded newer image for ${reference}`);
  const image = shop.images.resolve(reference);
  expect(image.id).toBe(id as typeof image.id);
  const [digest = ""] = image.digests;
  expect(digest).toMatch(/team\/app@sha256:/);
  expect((await pull(shop, reference)).at(-1)).toBe(`Status: Image is up to date for ${reference}`);
  expect(shop.images.resolve(digest).id).toBe(image.id);
  expect(await shop.images.distribution.digestOf(reference, {})).toBe(digest.split("@")[1] as typeof image.id);
});

test("a second push sends nothing again, one to another repository mounts", async () => {
  await using registry = await SmallRegistry.start();
  using shop = new Workshop();
  await shop.make("made:1");
  const [one, two] = [`${registry.host}/one:1`, `${registry.host}/two:1`];
  for (const name of [one, two]) await shop.images.tag("made:1", name);
  const push = async (reference: string) => {
    const messages: ProgressMessage[] = [];
    await shop.images.distribution.push({ reference, credentials: {} }, (message) => messages.push(message));
    return messages;
  };
  expect((await push(one)).map(({ status }) => status)).toContain("Pushed");
  const uploads = registry.count("PUT", "/uploads/");
  expect((await push(one)).map(({ status }) => status)).toContain("Layer already exists");
  expect(registry.count("PUT", "/uploads/")).toBe(uploads);
  const second = await push(two);
  expect(second.map(({ status }) => status)).toContain("Mounted from one");
  expect(second.at(-1)?.aux).toMatchObject({ Tag: "1", Digest: expect.stringMatching(/^sha256:/) });
});

test("a layer that is not what its manifest says stops the pull, names the layer and leaves nothing", async () => {
  await using registry = await SmallRegistry.start();
  const { reference } = await pushed(registry, "app:1");
  const [digest = ""] = [...registry.blobs].sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
  const honest = registry.blobs.get(digest) ?? new Uint8Array();
  const lie = Buffer.from(honest);
  lie[1000] = (lie[1000] ?? 0) ^ 1;
  registry.blobs.set(digest, lie);
  using shop = new Workshop();
  await expect(pull(shop, reference)).rejects.toThrow(`Blob ${digest} is not what was promised`);
  expect(shop.images.list({})).toEqual([]);
  expect(shop.blobCount()).toBe(0);
  registry.blobs.set(digest, Buffer.concat([honest, honest]));
  await expect(pull(shop, reference)).rejects.toThrow("more than");
  registry.blobs.set(digest, honest);
  expect((await pull(shop, reference)).at(-1)).toContain("Downloaded newer image");
});

test("a download that breaks off goes on where it was", async () => {
  await using registry = await SmallRegistry.start();
  const { reference } = await pushed(registry, "app:1");
  let cuts = 0;
  let cut: (() => void) | undefined;
  using shop = new Workshop();
  registry.trouble = (_request, response, { path, range }) => {
    shop.now += 1000; // Counts are told again after a while only.
    const bytes = registry.blobs.get(path.split("/").at(-1) ?? "");
    if (!bytes || bytes.length < 100_000 || cuts >= 3) return false;
    cuts++;
    const from = Number(/\d+/.exec(range ?? "0")?.[0]);
    const head = {
      "content-length": bytes.length - from,
      "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
    };
    response.writeHead(from > 0 ? 206 : 200, head);
    response.write(bytes.subarray(from, from + 20_000));
    cut = () => response.destroy();
    return true;
  };
  // Cut only when something of it has come.
  await shop.images.distribution.pull({ reference, credentials: {} }, ({ status }) => {
    if (status === "Downloading") cut?.();
  });
  expect(shop.images.resolve(reference).tags).toEqual([reference]);
  const ranges = registry.seen.flatMap(({ range }) => (range ? [Number(/\d+/.exec(range)?.[0])] : []));
  expect(ranges.length).toBe(3);
  expect(ranges.every((range, at) => range > (ranges[at - 1] ?? 0))).toBe(true);
});

test("a registry that always breaks off is an error, and a later pull goes on", async () => {
  await using registry = await SmallRegistry.start();
  const { reference } = await pushed(registry, "app:1");
  registry.trouble = (_request, response, { path }) => {
    if (!path.includes("/blobs/")) return false;
    response.destroy();
    return true;
  };
  using shop = new Workshop();
  await expect(pull(shop, reference)).rejects.toThrow(registry.host);
  registry.trouble = () => false;
  expect((await pull(shop, reference)).at(-1)).toContain("Downloaded newer image");
});

test("two pulls share the download of a layer; one that is given up does not stop the other", async () => {
  await using registry = await SmallRegistry.start();
  const { reference } = await pushed(registry, "app:1");
  const [layer = "", bytes = new Uint8Array()] =
    [...registry.blobs].sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
  const asked = Promise.withResolvers<() => void>();
  registry.trouble = (_request, response, { path }) => {
    if (!path.endsWith(layer)) return false;
    asked.resolve(() => response.end(bytes));
    return true;
  };
  using shop = new Workshop();
  const stop = new AbortController();
  const given = pull(shop, reference, {}, stop.signal);
  const answer = await asked.promise;
  const kept = shop.images.distribution.pull({ reference, credentials: {} }, ({ status }) => {
    if (status !== "Pulling fs layer") return;
    queueMicrotask(() => {
      stop.abort();
      answer();
    });
  });
  await expect(given).rejects.toThrow();
  await kept;
  expect(shop.images.resolve(reference).tags).toEqual([reference]);
  expect(registry.count("GET", layer)).toBe(1);
});

test("a token is asked for where the registry says, with the credentials, and never sent to another host", async () => {
  await using registry = await SmallRegistry.start();
  const { reference } = await pushed(registry, "app:1");
  const store: { authorization: string | undefined }[] = [];
  const storage = createServer((request, response) => {
    store.push({ authorization: request.headers.authorization });
    response.end(registry.blobs.get(request.url?.slice(1) ?? ""));
  });
  await new Promise<void>((resolve) => storage.listen(0, "127.0.0.1", resolve));
  const elsewhere = `http://127.0.0.1:${(storage.address() as AddressInfo).port}`;
  const asked: string[] = [];
  registry.trouble = (request, response, { path, authorization }) => {
    if (path.startsWith("/token")) {
      asked.push(`${authorization} ${path}`);
      response.end(JSON.stringify({ token: "secret", expires_in: 300 }));
      return true;
    }
    if (authorization !== "Bearer secret") {
      const challenge = `Bearer realm="http://${request.headers.host}/token",service="small registry"`;
      refuse(response, 401, "UNAUTHORIZED", "authentication required", { "www-authenticate": challenge });
      return true;
    }
    if (!path.includes("/blobs/sha256")) return false;
    response.writeHead(307, { location: `${elsewhere}/${path.split("/").at(-1)}` }).end();
    return true;
  };
  using shop = new Workshop();
  await pull(shop, reference, { credentials: { username: "ann", password: "pass" } });
  expect(asked).toEqual([
    `Basic ${Buffer.from("ann:pass").toString("base64")} /token?service=small+registry&scope=repository%3Aapp%3Apull&account=ann`,
  ]);
  expect(store.length).toBe(2);
  expect(store.every(({ authorization }) => authorization === undefined)).toBe(true);
  storage.close();
});

test("basic authentication, and Docker's words where it is refused", async () => {
  await using registry = await SmallRegistry.start();
  const { reference } = await pushed(registry, "app:1");
  const right = `Basic ${Buffer.from("ann:pass").toString("base64")}`;
  registry.trouble = (_request, response, { authorization }) => {
    if (authorization === right) return false;
    refuse(response, 401, "UNAUTHORIZED", "authentication required", { "www-authenticate": 'Basic realm="x"' });
    return true;
  };
  using shop = new Workshop();
  const refused = await pull(shop, reference).catch((error: unknown) => error);
  expect(isHavreError(refused, "not-found")).toBe(true);
  expect(String(refused)).toContain(
    `pull access denied for ${registry.host}/app, repository does not exist or may require 'docker login'`,
  );
  await expect(shop.images.distribution.signIn(registry.host, { username: "ann", password: "no" })).rejects.toThrow(
    "authentication required",
  );
  await shop.images.distribution.signIn(registry.host, { username: "ann", password: "pass" });
  expect((await pull(shop, reference, { credentials: { username: "ann", password: "pass" } })).at(-1)).toContain(
    "Downloaded",
  );
});

test("of an index the image for the platform is taken; without one the offers are named", async () => {
  await using registry = await SmallRegistry.start();
  const { reference } = await pushed(registry, "app:1");
  const manifest = registry.manifests.get("app/1");
  if (!manifest) throw new Error("not pushed");
  const entry = (architecture: string, bytes: Uint8Array) => ({
    mediaType: manifest.type,
    digest: digestOf(bytes),
    size: bytes.length,
    platform: { os: "linux", architecture },
  });
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      manifests: [entry("arm64", Buffer.from("{}")), entry("amd64", manifest.bytes)],
    }),
  );
  registry.manifests.set("app/multi", { type: `${IMAGE_TYPE}.index.v1+json`, bytes: index });
  using shop = new Workshop();
  await pull(shop, reference.replace(":1", ":multi"));
  const image = shop.images.resolve(reference.replace(":1", ":multi"));
  expect(image.digests).toEqual([`${registry.host}/app@${digestOf(index)}`]);
  await expect(pull(shop, reference.replace(":1", ":multi"), { platform: "linux/s390x" })).rejects.toThrow(
    "no matching manifest for linux/s390x in the manifest list entries",
  );
  expect((await shop.images.distribution.inspect(reference.replace(":1", ":multi"), {})).platforms).toHaveLength(2);
});

test.each([
  ["a manifest without end", 200, Buffer.alloc(5 << 20), "more than 4194304 bytes"],
  [
    "a limit on requests",
    429,
    Buffer.from(`{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}`),
    "slow down",
  ],
  ["no JSON", 200, Buffer.from("<html>"), "is not JSON"],
  ["a lie about its digest", 200, Buffer.from("{}"), "manifest verification failed"],
])("%s is an explained error", async (what, status, bytes, message) => {
  await using registry = await SmallRegistry.start();
  registry.trouble = (_request, response) => {
    const digest = what.includes("lie") ? digestOf("else") : digestOf(bytes);
    response.writeHead(status, { "content-type": `${IMAGE_TYPE}.manifest.v1+json`, "docker-content-digest": digest });
    response.end(bytes);
    return true;
  };
  using shop = new Workshop();
  await expect(pull(shop, `${registry.host}/app:1`)).rejects.toThrow(message);
  expect(shop.blobCount()).toBe(0);
});

test("redirects in a circle end, and a registry that fails for the moment is asked again", async () => {
  await using registry = await SmallRegistry.start();
  const { reference } = await pushed(registry, "app:1");
  registry.trouble = (_request, response, { path }) => {
    response.writeHead(302, { location: path }).end();
    return true;
  };
  using shop = new Workshop();
  await expect(pull(shop, reference)).rejects.toThrow("stopped after 10 redirects");
  let failures = 2;
  registry.trouble = (_request, response) => {
    if (failures-- <= 0) return false;
    response.writeHead(503).end();
    return true;
  };
  expect((await pull(shop, reference)).at(-1)).toContain("Downloaded newer image");
});

test("names that cannot be pulled or pushed are refused in Docker's words", async () => {
  await using registry = await SmallRegistry.start();
  using shop = new Workshop();
  const reference = `${registry.host}/none:1`;
  await expect(pull(shop, reference)).rejects.toThrow(
    `manifest for ${reference} not found: manifest unknown: manifest unknown`,
  );
  const push = (name: string) => shop.images.distribution.push({ reference: name, credentials: {} }, () => {});
  await expect(push(reference)).rejects.toThrow(`An image does not exist locally with the tag: ${registry.host}/none`);
  await shop.make("made:1");
  await shop.images.tag("made:1", reference);
  await expect(push(`${registry.host}/none:2`)).rejects.toThrow(`tag does not exist: ${registry.host}/none:2`);
  await expect(pull(shop, "127.0.0.1:1/x:1")).rejects.toThrow(
    'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
  );
});
