import { digestOf, HavreError } from "../../base/mod.ts";
import type { ContentStore } from "../../content/mod.ts";
import type { Credentials } from "../../images/mod.ts";
import { IgnoreMatcher, type Platform, readIgnoreFile } from "../../spec/mod.ts";
import type { AttestWish } from "../build-request.ts";
import type { Builder } from "../builder.ts";
import { folderCache } from "../cache/folder-cache.ts";
import { type CacheOption, checkCacheExports } from "../cache/options.ts";
import type { RemoteCaches } from "../cache/remote-caches.ts";
import type { CacheTransport } from "../cache/transport.ts";
import { type FetchImage, platformsOf, readContextFile } from "../classic/classic-builds.ts";
import {
  type LintWarning,
  lintDockerfile,
  parseDockerfile,
  planBuild,
  quoteLines,
  type SourceFile,
} from "../dockerfile/mod.ts";
import { epochOf } from "../graph/epoch.ts";
import { type ExecLimits, NO_LIMITS } from "../graph/ops.ts";
import { FilteredSource } from "../ops/files/filtered-source.ts";
import type { KeptContexts, StampedFile } from "../ops/files/kept-contexts.ts";
import type { FileSource } from "../ops/files/source.ts";
import { resultArchive } from "../platform-files.ts";
import { BuildFailed } from "../solver/failure.ts";
import { type NativeContext, NativeContexts } from "./contexts.ts";
import { Arrivals, FolderBlobs } from "./folder-blobs.ts";
import { RequestLender } from "./lender.ts";
import { type BuildLine, lineOf } from "./lines.ts";

/** What `havre build` asks. */
export interface NativeBuild {
  /** Path in the context. */
  readonly dockerfile: string;
  /** The file itself, where it is not in the context. */
  readonly dockerfileText?: string;
  /** A context of another place than the body: a repository or an archive of the web. */
  readonly remote?: string;
  /** The comparison (`POST /havre/v1/build/context`) whose unchanged files are not in the body; empty: all are. */
  readonly keptContext: string;
  readonly tags: readonly string[];
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly noCache: boolean | readonly string[];
  readonly pull: boolean;
  readonly platform?: string;
  readonly network: string;
  readonly extraHosts: readonly string[];
  readonly limits: Partial<ExecLimits>;
  /**
   * Names that `FROM` and `--from` may use beside those of stages and images. Where some are files, the body is one archive
   * with a folder for each: `main`, and `0`, `1` … by their place here.
   */
  readonly contexts: readonly NativeContext[];
  /** By id, base64. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Sockets of SSH agents on this machine, by id. */
  readonly agents: Readonly<Record<string, string>>;
  /** Rights that steps may take: `security.insecure`. */
  readonly allow: readonly string[];
  /** Files instead of an image: the answer carries them as an archive. */
  readonly files: boolean;
  /** Only say what could be written better. */
  readonly squash: boolean;
  readonly check: boolean;
  /** Of a folder (`type=local`) `digest` is that of its manifest, in `cacheTo` `here` the digests of the files it has, with spaces between. */
  readonly cacheFrom: readonly CacheOption[];
  readonly cacheTo: readonly CacheOption[];
  /** `min`, `max`, or nothing. */
  readonly provenance: string;
  /** Formats of bills of materials. */
  readonly sbom: readonly string[];
  /** Who asks for the build, and where its context is from. */
  readonly requestedBy: string;
  readonly source: { readonly remote?: string; readonly commit?: string };
  /** Keep the state before a step that fails, as an image. */
  readonly debug: boolean;
  readonly credentials: (registry: string) => Credentials;
}

/** What a build starts from. */
interface Given {
  readonly dockerfile: SourceFile;
  readonly files: FileSource;
  readonly contexts: NativeContexts;
}

export interface NativeListener {
  line(line: BuildLine): void;
  /** Bytes of the archive; resolves when more may come. */
  files(bytes: Uint8Array): Promise<void>;
  /** Bytes of the file of a cache that the last line of the kind `blob` is about; resolves when more may come. */
  blob(bytes: Uint8Array): Promise<void>;
}

export interface NativeTools {
  readonly builder: Builder;
  readonly fetch: FetchImage;
  readonly caches: RemoteCaches;
  readonly content: ContentStore;
  readonly platform: Platform;
  readonly newId: () => string;
  /** For sockets; short. */
  readonly run: string;
}

/** Builds as `havre build` asks: everything that happens is told as lines, results that are files follow as an archive. */
export class NativeBuilds {
  readonly #builder: Builder;
  readonly #fetch: FetchImage;
  readonly #caches: RemoteCaches;
  readonly #content: ContentStore;
  readonly #arrivals: Arrivals;
  readonly #platform: Platform;
  readonly #run: string;
  readonly #newId: () => string;

  constructor({ builder, fetch, caches, content, platform, run, newId }: NativeTools) {
    this.#builder = builder;
    this.#fetch = fetch;
    this.#caches = caches;
    this.#content = content;
    this.#arrivals = new Arrivals(newId);
    this.#platform = platform;
    this.#run = run;
    this.#newId = newId;
  }

  /** Which files of a context are here as they were last sent. */
  compare(key: string, files: readonly StampedFile[]): ReturnType<KeptContexts["compare"]> {
    return this.#builder.kept.compare(key, files);
  }

  /** Takes a file that a build asked for with a line of the kind `wanted`; undefined: the client does not have it. `not-found` when no build waits for it. */
  give(id: string, bytes: AsyncIterable<Uint8Array> | undefined): Promise<void> {
    return this.#arrivals.give(id, bytes);
  }

  /** Resolves when all was told, a failure of the build too. */
  async build(
    request: NativeBuild,
    context: AsyncIterable<Uint8Array>,
    listener: NativeListener,
    signal: AbortSignal,
  ): Promise<void> {
    let dockerfile: SourceFile | undefined;
    try {
      checkCacheExports(request.cacheTo);
      using held = new DisposableStack();
      const contexts = await NativeContexts.take(this.#builder, request, context, held, signal);
      const all = contexts.main;
      dockerfile =
        request.dockerfileText === undefined
          ? readContextFile(all, request.dockerfile)
          : { name: request.dockerfile, text: request.dockerfileText };
      const ignore = ignoreOf(all, request.dockerfile);
      for (const warning of this.#warnings(request, dockerfile, ignore))
        listener.line(warningLine(warning, dockerfile));
      if (request.check) {
        listener.line({ kind: "checked" });
        return;
      }
      const files = ignore ? new FilteredSource(all, ignore) : all;
      await this.#make(request, { dockerfile, files, contexts }, listener, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      listener.line(failureLine(error, dockerfile));
    }
  }

  async #make(
    request: NativeBuild,
    { dockerfile, files, contexts }: Given,
    listener: NativeListener,
    signal: AbortSignal,
  ): Promise<void> {
    const { target, buildArgs, labels, noCache, network, extraHosts, limits, credentials } = request;
    const platforms = this.#platforms(request);
    const [platform = this.#platform] = platforms;
    const known = new Map<string, ReturnType<FetchImage>>();
    const epoch = epochOf(buildArgs);
    const folder = (option: CacheOption) => this.#folderCache(option, listener);
    await using lender = new RequestLender(request, this.#run, this.#newId);
    const input = {
      dockerfile,
      platforms,
      options: {
        target,
        buildArgs,
        labels,
        noCache,
        platform,
        buildPlatform: this.#platform,
        network,
        extraHosts,
        limits: { ...NO_LIMITS, ...limits },
        namedContexts: contexts.names,
        allow: request.allow,
        history: "buildkit",
      },
      supplies: {
        context: async (name: string) => (name === "" ? files : contexts.named(name, signal)),
        lender,
      },
      findImage: (given: string, wanted: Platform, stop: AbortSignal) => {
        const name = contexts.reference(given);
        const key = JSON.stringify([name, wanted]);
        const progress = (message: object) => listener.line({ kind: "fetching", name, message });
        const image =
          known.get(key) ?? this.#fetch(name, wanted, { pull: request.pull, credentials, progress, signal: stop });
        known.set(key, image);
        return image;
      },
      ...(epoch === undefined ? {} : { epoch }),
      remembered: await this.#caches.open(request.cacheFrom, credentials, signal, folder),
      cacheTo: this.#caches.exports(
        request.cacheTo,
        credentials,
        (name, work) => telling(listener, `exporting cache to ${name}`, work),
        folder,
      ),
      ...attestWish(request, listener),
      inlineCache: request.cacheTo.some(({ type }) => type === "inline"),
      ...(request.debug ? { keepsFailed: platform } : {}),
    } as const;
    const observer = {
      planned: () => {},
      event: (event: Parameters<typeof lineOf>[0]) => {
        const line = lineOf(event);
        if (line) listener.line(line);
      },
    };
    if (!request.files) {
      const { image } = await this.#builder.build(
        { ...input, names: request.tags, keepSteps: false, squash: request.squash },
        observer,
        signal,
      );
      listener.line({
        kind: "made",
        id: image.id,
        ...(image.manifest ? { digest: image.manifest } : {}),
        names: request.tags,
      });
      return;
    }
    await this.#builder.buildFiles(
      input,
      observer,
      async (results) => {
        for await (const bytes of resultArchive(results, signal)) await listener.files(bytes);
      },
      signal,
    );
    listener.line({ kind: "made" });
  }

  #folderCache({ attributes }: CacheOption, listener: NativeListener): CacheTransport {
    const { src = "", dest = src, digest, here = "" } = attributes;
    const blobs = new FolderBlobs(dest, new Set(here.split(" ")), this.#arrivals, listener);
    return folderCache(blobs, this.#content, {
      folder: dest,
      ...(digest === undefined ? {} : { top: digest }),
      sent: (manifest) => listener.line({ kind: "cached", folder: dest, manifest }),
    });
  }

  #platforms({ platform }: NativeBuild): readonly Platform[] {
    return platform === undefined ? [this.#platform] : platformsOf(platform);
  }

  #warnings(request: NativeBuild, file: SourceFile, ignore: IgnoreMatcher | undefined): readonly LintWarning[] {
    const told = {
      buildArgs: new Map(Object.entries(request.buildArgs)),
      buildPlatform: this.#platform,
      targetPlatform: this.#platforms(request)[0] ?? this.#platform,
      ...(request.target === undefined ? {} : { target: request.target }),
    };
    const plan = planBuild(parseDockerfile(file), told);
    const { warnings, error } = lintDockerfile(plan, { ...told, ...(ignore ? { ignore } : {}) });
    if (error) throw error;
    return warnings;
  }
}

/** `invalid-argument` for what there is not. */
function attestWish(
  { provenance, sbom, requestedBy, source, files }: NativeBuild,
  listener: NativeListener,
): { readonly attest?: AttestWish } {
  const mode: "min" | "max" | undefined = provenance === "min" || provenance === "max" ? provenance : undefined;
  if (provenance !== "" && !mode) {
    throw new HavreError("invalid-argument", `Unknown provenance: ${provenance}`, { hint: "min or max" });
  }
  const bills = sbom.map((format) => {
    if (format === "spdx" || format === "cyclonedx") return format;
    throw new HavreError("invalid-argument", `Unknown bill of materials: ${format}`, { hint: "spdx or cyclonedx" });
  });
  if (files || (!mode && bills.length === 0)) return {};
  const who = requestedBy === "" ? {} : { requestedBy };
  const how: Pick<AttestWish, "provenance"> = mode ? { provenance: { mode, source, ...who } } : {};
  const told = (work: () => Promise<void>) => telling(listener, "telling how it was built and what is in it", work);
  return { attest: { ...how, bills, inIndex: false, told } };
}

/** Work that is no step of the Dockerfile, told as one. */
async function telling(listener: NativeListener, name: string, work: () => Promise<void>): Promise<void> {
  const vertex = digestOf(name);
  const finish = (failed: boolean) =>
    listener.line({ kind: "finished", vertex, at: Date.now(), cached: false, failed });
  listener.line({ kind: "planned", vertices: [{ digest: vertex, name, inputs: [] }] });
  listener.line({ kind: "started", vertex, at: Date.now() });
  try {
    await work();
    finish(false);
  } catch (error) {
    finish(true);
    throw error;
  }
}

function warningLine({ rule, message, description, url, range }: LintWarning, file: SourceFile): BuildLine {
  const { start, end } = range;
  return {
    kind: "warning",
    rule,
    message,
    description,
    url: url ?? "",
    file: file.name,
    lines: { first: start.line, last: end.line },
    quoted: quoteLines(file.text, range),
  };
}

function failureLine(failure: unknown, file: SourceFile | undefined): BuildLine {
  const error =
    failure instanceof HavreError ? failure : new HavreError("internal", String(failure), { cause: failure });
  const base = {
    kind: "failed",
    error: error.kind,
    message: error.message,
    ...(error.hint ? { hint: error.hint } : {}),
  } as const;
  if (!(error instanceof BuildFailed)) return base;
  const { vertex, exitCode, output, state } = error;
  const { op, lines } = vertex;
  const process = op.kind === "exec" ? JSON.stringify(op.args.join(" ")) : "";
  const range = lines && { start: { line: lines.first, column: 1 }, end: { line: lines.last, column: 1 } };
  return {
    ...base,
    message:
      exitCode === undefined
        ? error.message
        : `process ${process} did not complete successfully: exit code: ${exitCode}`,
    step: vertex.name,
    output,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(state === undefined ? {} : { state }),
    ...(file && range ? { file: file.name, line: range.start.line, quoted: quoteLines(file.text, range) } : {}),
  };
}

function ignoreOf(files: FileSource, dockerfile: string): IgnoreMatcher | undefined {
  for (const name of [`${dockerfile}.dockerignore`, ".dockerignore"]) {
    try {
      const patterns = readIgnoreFile(readContextFile(files, name).text);
      return patterns.length === 0 ? undefined : new IgnoreMatcher(patterns);
    } catch (error) {
      if (!(error instanceof HavreError) || error.kind !== "invalid-argument") throw error;
    }
  }
  return undefined;
}
