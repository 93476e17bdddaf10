import { type Digest, HavreError, shortId } from "../../base/mod.ts";
import type { Credentials, Images, OnProgress } from "../../images/mod.ts";
import { fromBytes, shown } from "../../snapshots/mod.ts";
import {
  familiarReference,
  IgnoreMatcher,
  type Platform,
  parseGoBoolean,
  parseReference,
  readIgnoreFile,
  withDefaultTag,
} from "../../spec/mod.ts";
import type { Builder } from "../builder.ts";
import { type RemoteCaches, registryOption } from "../cache/remote-caches.ts";
import type { Dockerfile } from "../dockerfile/mod.ts";
import { epochOf } from "../graph/epoch.ts";
import type { GraphStage } from "../graph/graph.ts";
import type { FindImage, GraphOptions } from "../graph/options.ts";
import { SourceMissing } from "../ops/copy/select.ts";
import { FilteredSource } from "../ops/files/filtered-source.ts";
import { cleanPath, resolvePath } from "../ops/files/paths.ts";
import type { FileSource } from "../ops/files/source.ts";
import { BuildFailed } from "../solver/failure.ts";
import { ClassicNarrator } from "./narrator.ts";

/** What `POST /build` asks. */
export interface ClassicBuild {
  /** Path in the context; undefined: `Dockerfile`. */
  readonly dockerfile: string | undefined;
  readonly tags: readonly string[];
  readonly options: Omit<GraphOptions, "namedContexts" | "history" | "platform" | "buildPlatform"> & {
    readonly platform?: string;
  };
  readonly pull: boolean;
  readonly removes: boolean;
  readonly squash: boolean;
  /** Images that may carry a cache of their layers (`BUILDKIT_INLINE_CACHE`), and caches at registries. */
  readonly cacheFrom: readonly string[];
  /** What the client calls the build, to cancel it by. */
  readonly buildId?: string;
  /** What the client has for a registry (`host[:port]`). */
  readonly credentials: (registry: string) => Credentials;
}

export interface ClassicSpeaker {
  /** Text for people. */
  say(text: string): void;
  /** The image that was made, for programs. */
  made(id: Digest): void;
  /** Of images that are fetched. */
  readonly progress: OnProgress;
}

export interface FetchOptions {
  /** Ask the registry even when an image of the name is here. */
  readonly pull: boolean;
  /** What the client has for a registry (`host[:port]`). */
  readonly credentials: (registry: string) => Credentials;
  readonly progress: OnProgress;
  readonly signal: AbortSignal;
}

/** An image by name for a platform, fetched where it is missing. `not-found` with Docker's texts. */
export type FetchImage = (name: string, platform: Platform, options: FetchOptions) => ReturnType<FindImage>;

/** Builds as Docker's own builder did: a context as one archive, and the story as text. */
export class ClassicBuilds {
  readonly #builder: Builder;
  readonly #images: Images;
  readonly #fetch: FetchImage;
  readonly #caches: RemoteCaches;
  readonly #platform: Platform;
  /** Builds under way that have a name. */
  readonly #named = new Map<AbortController, string>();

  constructor(
    builder: Builder,
    images: Images,
    remote: { readonly fetch: FetchImage; readonly caches: RemoteCaches },
    platform: Platform,
  ) {
    this.#builder = builder;
    this.#images = images;
    this.#fetch = remote.fetch;
    this.#caches = remote.caches;
    this.#platform = platform;
  }

  /** Stops the builds that a client gave this name; without effect when there are none. */
  cancel(buildId: string): void {
    for (const [control, id] of this.#named) {
      if (id === buildId) control.abort(new HavreError("cancelled", "The build was cancelled"));
    }
  }

  async build(
    request: ClassicBuild,
    context: AsyncIterable<Uint8Array> | { readonly remote: string },
    speaker: ClassicSpeaker,
    signal: AbortSignal,
  ): Promise<Digest> {
    const control = new AbortController();
    if (request.buildId !== undefined) this.#named.set(control, request.buildId);
    try {
      return await this.#build(request, context, speaker, AbortSignal.any([signal, control.signal]));
    } finally {
      this.#named.delete(control);
    }
  }

  async #build(
    request: ClassicBuild,
    context: AsyncIterable<Uint8Array> | { readonly remote: string },
    speaker: ClassicSpeaker,
    signal: AbortSignal,
  ): Promise<Digest> {
    const names = request.tags.map((tag) => familiarReference(withDefaultTag(checkedTag(tag))));
    using held = new DisposableStack();
    const all = await takeContext(this.#builder, context, held, signal);
    const dockerfile = readContextFile(all, request.dockerfile ?? "Dockerfile");
    const files = withoutIgnored(all, request.dockerfile);
    const epoch = epochOf(request.options.buildArgs);
    const { platform: asked, ...options } = request.options;
    const remembered = await this.#caches.open(request.cacheFrom.map(registryOption), request.credentials, signal);
    // Where sources are named, steps come from those alone (Docker's): with none of them to be had, from nowhere.
    const cached =
      request.cacheFrom.length === 0 ||
      remembered.length > 0 ||
      request.cacheFrom.some((name) => this.#images.find(name) !== undefined);
    const platform = asked === undefined ? this.#platform : parsePlatform(asked);
    const noCache = options.noCache || !cached;
    const narrator = new ClassicNarrator({
      configAt: (...where) => this.#builder.configAt(...where, epoch),
      known: (id) => !noCache && this.#images.get(id) !== undefined,
      say: (text) => speaker.say(text),
      removes: request.removes,
    });
    try {
      const { image } = await this.#builder.build(
        {
          dockerfile,
          options: {
            ...options,
            noCache: options.noCache || !cached,
            platform,
            buildPlatform: this.#platform,
            namedContexts: [],
            history: "classic",
          },
          supplies: {
            context: async () => files,
            lender: { secret: async () => undefined, sshSocket: async () => undefined },
          },
          findImage: (name, wanted, stop) =>
            this.#fetch(name, wanted, { ...request, progress: speaker.progress, signal: stop }),
          names,
          keepSteps: !request.squash,
          squash: request.squash,
          remembered,
          inlineCache: parseGoBoolean(request.options.buildArgs.BUILDKIT_INLINE_CACHE ?? "") ?? false,
          ...(epoch === undefined ? {} : { epoch }),
        },
        {
          planned: (plan, parsed) => {
            const globals = parsed.globalArgs.map(({ source }) => source.text);
            narrator.planned(plan, globals, skippedBefore(parsed, plan.stages));
          },
          event: (event) => narrator.event(event),
        },
        signal,
      );
      speaker.made(image.id);
      speaker.say(`Successfully built ${shortId(image.id)}\n`);
      for (const name of names) speaker.say(`Successfully tagged ${name}\n`);
      return image.id;
    } catch (error) {
      if (!(error instanceof BuildFailed)) throw error;
      narrator.failed(error.vertex);
      throw inClassicWords(error);
    }
  }
}

/** The files of a context, wherever they come from; `held` gets what is to be disposed when the build is over. */
export async function takeContext(
  builder: Builder,
  context: AsyncIterable<Uint8Array> | { readonly remote: string },
  held: DisposableStack,
  signal: AbortSignal,
): Promise<FileSource> {
  if (isRemote(context)) return held.use(await builder.fetch(context.remote, signal)).files;
  return held.use(await builder.receive(context, signal));
}

/** Docker's own builder had its own words for a source that is not there. */
function inClassicWords(error: BuildFailed): HavreError {
  const { cause, vertex } = error;
  if (!(cause instanceof SourceMissing)) return error;
  const verb = /\] (ADD|COPY) /.exec(vertex.name)?.[1] ?? "COPY";
  const message = `${verb} failed: file not found in build context or excluded by .dockerignore: stat ${cause.path}: file does not exist`;
  return new HavreError("not-found", message, { cause: error });
}

function isRemote(context: object): context is { readonly remote: string } {
  return "remote" in context;
}

function checkedTag(tag: string) {
  const reference = parseReference(tag);
  if (reference.digest === undefined) return reference;
  throw new HavreError("invalid-argument", "build tag cannot contain a digest");
}

/** Instructions of stages that are not built count in the numbers of the steps, too. */
function skippedBefore({ stages }: Dockerfile, planned: readonly GraphStage[]): (stage: GraphStage) => number {
  return ({ stage }) => {
    const built = planned.map((one) => one.stage.index);
    const last = Math.max(-1, ...built.filter((index) => index < stage.index));
    const between = stages.slice(last + 1, stage.index);
    return between.reduce((sum, { commands }) => sum + 1 + commands.length, 0);
  };
}

const DOCKERFILE_LIMIT = 16 * 1024 * 1024;

export function readContextFile(files: FileSource, path: string) {
  const place = resolvePath(files, fromBytes(Buffer.from(path)));
  const lower = path === "Dockerfile" && !files.stat(place) ? fromBytes(Buffer.from("dockerfile")) : place;
  const file = files.stat(lower);
  if (file?.type !== "file") {
    throw new HavreError(
      "invalid-argument",
      `Cannot locate specified Dockerfile: ${shown(fromBytes(Buffer.from(path)))}`,
    );
  }
  if (file.size > DOCKERFILE_LIMIT) throw new HavreError("invalid-argument", `${path} is too large for a Dockerfile`);
  const text = Buffer.concat([...files.read(file)]).toString();
  if (text.trim() === "") throw new HavreError("invalid-argument", `the Dockerfile (${path}) cannot be empty`);
  return { name: path, text };
}

/** Clients leave out most of it themselves, but not the two files that the build reads. */
function withoutIgnored(files: FileSource, dockerfile: string | undefined): FileSource {
  const names = [...(dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`]), ".dockerignore"];
  const found = names
    .map((name) => files.stat(cleanPath(fromBytes(Buffer.from(name)))))
    .find((one) => one?.type === "file" && one.size <= DOCKERFILE_LIMIT);
  if (!found) return files;
  const patterns = readIgnoreFile(Buffer.concat([...files.read(found)]).toString());
  return patterns.length === 0 ? files : new FilteredSource(files, new IgnoreMatcher(patterns));
}

/** Several with commas between them, each once. */
export function platformsOf(text: string): readonly Platform[] {
  const words = text.split(",").filter((word) => word !== "");
  return [...new Set(words)].map(parsePlatform);
}

/** `os/architecture[/variant]`. */
export function parsePlatform(text: string): Platform {
  const [os = "linux", architecture = "", variant] = text.split("/");
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
