import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, type Digest, digestOf, silentLogger, systemClock } from "../../base/mod.ts";
import { FileContentStore } from "../../content/mod.ts";
import { mediaTypes } from "../../spec/mod.ts";
import { SqliteStore } from "../../store/mod.ts";
import {
  type Connect,
  type HttpServer,
  listen,
  noSettings,
  RegistryService,
  type RegistrySettings,
  verifyPassword,
} from "../mod.ts";

export interface TestOptions {
  readonly settings?: Partial<RegistrySettings>;
  readonly clock?: Clock;
  readonly connect?: Connect;
}

/** A registry on a port of its own, with a client that says little. */
export class TestRegistry implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), "havre-registry-"));
  readonly service: RegistryService;
  readonly store: SqliteStore;
  readonly content: FileContentStore;
  readonly #server: HttpServer;

  constructor({ settings = {}, clock = systemClock, connect = noUpstream }: TestOptions = {}) {
    const { root } = this;
    this.store = new SqliteStore(join(root, "registry.db"));
    this.content = new FileContentStore(root);
    const { store, content } = this;
    const parts = { root, store, content, clock, log: silentLogger, verifyPassword, connect, address: () => this.url };
    this.service = new RegistryService(parts, { ...noSettings, ...settings });
    this.#server = listen({ host: "127.0.0.1", port: 0 }, (request) => this.service.answer(request));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await this.service[Symbol.asyncDispose]();
    this.store.close();
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

function noUpstream(): never {
  throw new Error("This registry has no upstream");
}
