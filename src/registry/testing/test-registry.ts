import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, type Digest, digestOf, silentLogger, systemClock } from "../../base/mod.ts";
import { FileContentStore } from "../../content/mod.ts";
import { mediaTypes } from "../../spec/mod.ts";
import { SqliteStore } from "../../store/mod.ts";
import {
  type Access,
  DistributionApi,
  type HttpServer,
  listen,
  openAccess,
  Pins,
  Registry,
  type RegistryContext,
  type Rules,
} from "../mod.ts";

export interface TestOptions {
  readonly access?: Access;
  readonly rules?: Partial<Rules>;
  readonly clock?: Clock;
}

/** A registry on a port of its own, with a client that says little. */
export class TestRegistry implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), "havre-registry-"));
  readonly context: RegistryContext;
  readonly registry: Registry;
  readonly #store: SqliteStore;
  readonly #server: HttpServer;

  constructor({ access = openAccess, rules = {}, clock = systemClock }: TestOptions = {}) {
    this.#store = new SqliteStore(join(this.root, "registry.db"));
    const content = new FileContentStore(this.root);
    this.context = { store: this.#store, content, clock, log: silentLogger, pins: new Pins() };
    this.registry = new Registry(this.context, { admit: () => {}, immutable: () => false, ...rules });
    const api = new DistributionApi(this.registry, access, silentLogger);
    this.#server = listen({ host: "127.0.0.1", port: 0 }, (request) => api.answer(request));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await this.registry.uploads.close();
    this.#store.close();
    rmSync(this.root, { recursive: true });
  }

  send(method: string, path: string, body?: Uint8Array | string, headers: Record<string, string> = {}) {
    const init = { method, headers, redirect: "manual" as const };
    return fetch(
      new URL(path, this.url),
      body === undefined ? init : { ...init, body: body as Uint8Array<ArrayBuffer> },
    );
  }

  /** Pushes a blob in one request. */
  async blob(repository: string, bytes: Uint8Array | string, digest: Digest = digestOf(bytes)): Promise<Digest> {
    const answer = await this.send("POST", `/v2/${repository}/blobs/uploads/?digest=${digest}`, bytes);
    if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
    return digest;
  }

  manifest(repository: string, reference: string, body: unknown, type: string = mediaTypes.ociManifest) {
    const bytes = typeof body === "string" ? body : JSON.stringify(body);
    return this.send("PUT", `/v2/${repository}/manifests/${reference}`, bytes, { "content-type": type });
  }

  /** Pushes an image of one layer; `more` goes into its manifest. */
  async image(repository: string, reference: string, layer = "layer", more: object = {}) {
    const config = { mediaType: mediaTypes.ociConfig, digest: await this.blob(repository, "{}"), size: 2 };
    const digest = await this.blob(repository, layer);
    const layers = [{ mediaType: mediaTypes.ociLayerGzip, digest, size: layer.length }];
    const text = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers, ...more });
    const answer = await this.manifest(repository, reference, text);
    return { answer, text, digest: digestOf(text), size: text.length, layer: digest };
  }
}

/** The code of an error body. */
export async function codeOf(answer: Response): Promise<string> {
  const { errors } = (await answer.json()) as { errors: readonly { code: string; message: string }[] };
  return errors[0]?.code ?? "";
}
