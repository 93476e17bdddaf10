import { HavreError } from "../../base/mod.ts";
import { parseReference } from "../../spec/mod.ts";
import type { BuildObserver, BuildRequest, PlatformFiles } from "../build-request.ts";
import type { Builder } from "../builder.ts";
import { resultArchive, resultFiles } from "../platform-files.ts";
import type { ClientBuild } from "./builds.ts";
import { credentialsFor } from "./credentials.ts";
import { sendBytes, sendFiles } from "./file-send.ts";
import { fullName } from "./full-name.ts";
import { tellLayers } from "./image-finder.ts";
import type { BuildTools } from "./run-build.ts";
import type { Session } from "./session.ts";

/** What a result is to become. */
export interface Exporter {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What the client is told of a result. */
export type ExporterResponse = Record<string, string>;

const IMAGE = ["moby", "image"];
const ARCHIVE = ["oci", "docker"];
const FILES = ["local", "tar"];

/** `not-implemented` for what cannot be made. */
export function checkExporters(exporters: readonly Exporter[]): void {
  for (const { type, attributes } of exporters) {
    if (![...IMAGE, ...ARCHIVE, ...FILES].includes(type)) {
      throw new HavreError("not-implemented", `exporter ${JSON.stringify(type)} could not be found`, {
        hint: "There are image, oci, docker, local and tar",
      });
    }
    if (attributes.push === "true" && !IMAGE.includes(type)) {
      throw new HavreError("invalid-argument", `The exporter ${type} does not push`);
    }
    if (ARCHIVE.includes(type) && attributes.tar === "false") {
      throw new HavreError("not-implemented", `The exporter ${type} writes archives only`);
    }
  }
}

/** Names of an image that an exporter makes. */
export function namesOf({ attributes }: Exporter): readonly string[] {
  return (attributes.name ?? "").split(",").filter((name) => name !== "");
}

/** Builds, and makes of the result all that the client wants it to be. Without an exporter it is built, and stays in the cache. */
export class Exports {
  readonly #builder: Builder;
  readonly #distribution: BuildTools["distribution"];
  readonly #build: ClientBuild;
  readonly #session: Session;
  readonly #signal: AbortSignal;
  #observer: BuildObserver;
  #request: Omit<BuildRequest, "names" | "keepSteps">;

  constructor(
    tools: BuildTools,
    build: ClientBuild,
    session: Session,
    request: Omit<BuildRequest, "names" | "keepSteps">,
    observer: BuildObserver,
    signal: AbortSignal,
  ) {
    this.#builder = tools.builder;
    this.#distribution = tools.distribution;
    this.#build = build;
    this.#session = session;
    this.#request = request;
    this.#observer = observer;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { exporters } = this.#build;
    const files: (readonly [index: number, type: string])[] = [];
    for (const [index, exporter] of exporters.entries()) {
      if (IMAGE.includes(exporter.type)) await this.#image(exporter);
      else if (ARCHIVE.includes(exporter.type)) await this.#archive(index, exporter);
      else files.push([index, exporter.type]);
    }
    if (files.length > 0 || exporters.length === 0) await this.#files(files);
  }

  /** What is made a second time is known then: it is told once, and its cache exported once. */
  #once(): { readonly observer: BuildObserver; readonly request: Omit<BuildRequest, "names" | "keepSteps"> } {
    const once = { observer: this.#observer, request: this.#request };
    this.#observer = { planned: () => {}, event: () => {} };
    this.#request = { ...this.#request, cacheTo: [] };
    return once;
  }

  async #image(exporter: Exporter): Promise<void> {
    const { observer, request } = this.#once();
    const names = namesOf(exporter);
    const { image } = await this.#builder.build({ ...request, names, keepSteps: false }, observer, this.#signal);
    await this.#build.progress.task("exporting to image", async (task) => {
      task.progress("exporting layers", 0, 0, true);
      task.progress(`writing image ${image.id}`, 0, 0, true);
      for (const name of names) task.progress(`naming to ${fullName(name)}`, 0, 0, true);
    });
    if (exporter.attributes.push === "true") for (const name of names) await this.#push(name);
    this.#tell(names, { "containerimage.digest": image.id, "containerimage.config.digest": image.id });
  }

  async #push(name: string): Promise<void> {
    await this.#build.progress.task(`pushing ${fullName(name)}`, async (task) => {
      const { domain } = parseReference(name);
      const credentials = await credentialsFor(this.#session, domain, this.#signal);
      await this.#distribution.push({ reference: fullName(name), credentials }, tellLayers(task), this.#signal);
    });
  }

  async #archive(index: number, exporter: Exporter): Promise<void> {
    const names = namesOf(exporter);
    const title = exporter.type === "oci" ? "exporting to oci image format" : "exporting to docker image format";
    const send = (archive: AsyncIterable<Uint8Array>) =>
      this.#build.progress.task(title, async (task) => {
        await sendBytes(this.#session, index, archive, this.#signal);
        task.progress("sending tarball", 0, 0, true);
      });
    const { observer, request } = this.#once();
    const { id, manifest } = await this.#builder.buildArchive({ ...request, names }, observer, send, this.#signal);
    this.#tell(names, {
      "containerimage.digest": manifest.digest,
      "containerimage.config.digest": id,
      "containerimage.descriptor": Buffer.from(JSON.stringify(manifest)).toString("base64"),
    });
  }

  async #files(exporters: readonly (readonly [index: number, type: string])[]): Promise<void> {
    const { progress } = this.#build;
    const use = async (results: readonly PlatformFiles[]) => {
      for (const [index, type] of exporters) {
        if (type === "tar") {
          await progress.task("exporting to client tarball", async (task) => {
            await sendBytes(this.#session, index, resultArchive(results, this.#signal), this.#signal);
            task.progress("sending tarball", 0, 0, true);
          });
        } else {
          await progress.task("exporting to client directory", async (task) => {
            using held = new DisposableStack();
            await sendFiles(this.#session, index, resultFiles(results, held), this.#signal);
            task.progress("copying files", 0, 0, true);
          });
        }
      }
    };
    const { observer, request } = this.#once();
    await this.#builder.buildFiles(request, observer, use, this.#signal);
  }

  #tell(names: readonly string[], more: ExporterResponse): void {
    const { response } = this.#build;
    Object.assign(response, more);
    if (names.length > 0) response["image.name"] = names.map(fullName).join(",");
  }
}
