import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, HavreError, isHavreError, Semaphore, SharedWork } from "../base/mod.ts";
import { type Builder, type FindImage, NO_LIMITS, type OnBuildEvent } from "../builder/mod.ts";
import type { ContentStore } from "../content/mod.ts";
import { hostPlatform, type Image, type ImageMaker, type Images, type OnProgress } from "../images/mod.ts";
import { type Snapshotter, type TarMember, writeTar } from "../snapshots/mod.ts";
import { familiarReference, parseReference, withDefaultTag } from "../spec/mod.ts";
import { BuildTeller } from "./build-teller.ts";
import { BUILT_IN } from "./entries/mod.ts";
import {
  basesOf,
  CATALOGUE_DOMAIN,
  type DockerfileRecipe,
  type Entry,
  entryReference,
  isRoot,
  parseEntry,
  type RootRecipe,
} from "./entry.ts";
import type { CatalogueItem } from "./item.ts";
import { type OutdatedPackage, outdatedDockerfile, outdatedPackages } from "./outdated.ts";
import { epochSeconds, RootMaker, stageOf } from "./root.ts";
import { type Finding, verifyItem } from "./verify.ts";

/** Says of an image which entry's text it was made of, and of which text each base. */
export const SOURCE_LABEL = "havre.catalogue.source";

export interface CatalogueParts {
  readonly builder: Builder;
  readonly images: Images & ImageMaker;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  /** Where roots may be put together. */
  readonly folder: string;
  /** Folder of the operator's own entries (`NAME.yaml`), which stand before those brought along. */
  readonly entries: string;
  /** What a Dockerfile names in `FROM`, from wherever images come. */
  readonly findImage: FindImage;
}

/** Base images made of distribution packages, and images on them, owned by operators. */
export class Catalogue {
  readonly #parts: CatalogueParts;
  readonly #roots: RootMaker;
  readonly #builds = new SharedWork<Image, Parameters<OnProgress>[0]>({ replays: true });
  readonly #oneRoot = new Semaphore(1);

  constructor(parts: CatalogueParts) {
    this.#parts = parts;
    this.#roots = new RootMaker(parts.folder);
  }

  /** Every entry, by name and version. `invalid-argument` for a file of the operator's that is none. */
  entries(): readonly Entry[] {
    const texts = new Map(Object.entries(BUILT_IN));
    const { entries: folder } = this.#parts;
    const own = existsSync(folder) ? readdirSync(folder).filter((name) => /\.ya?ml$/.test(name)) : [];
    for (const name of own) texts.set(join(folder, name), readFileSync(join(folder, name), "utf8"));
    const entries = new Map<string, Entry>();
    for (const [file, text] of texts) {
      const entry = parseEntry(file, text);
      entries.set(entryReference(entry), entry);
    }
    return [...entries.values()].sort((a, b) => (entryReference(a) < entryReference(b) ? -1 : 1));
  }

  list(): readonly CatalogueItem[] {
    return this.entries().map((entry) => this.#item(entry));
  }

  /** By `name`, `name:version` or the whole reference. `not-found` saying what there is. */
  find(name: string): CatalogueItem {
    const bare = name.startsWith(`${CATALOGUE_DOMAIN}/`) ? name.slice(CATALOGUE_DOMAIN.length + 1) : name;
    const entries = this.entries();
    const found =
      entries.find((entry) => `${entry.name}:${entry.version}` === bare) ??
      entries.filter((entry) => entry.name === bare.replace(/:latest$/, "")).sort(newest)[0];
    if (found) return this.#item(found);
    const offered = entries.map((entry) => `${entry.name}:${entry.version}`).join(", ");
    throw new HavreError("not-found", `The catalogue has no ${bare}`, { hint: `It has: ${offered}` });
  }

  /**
   * Makes an entry's image, its bases first, unless it is here and made of the entry's present text (`force`: anyway).
   * Two that want the same share the work.
   */
  async build(
    name: string,
    force: boolean,
    progress: OnProgress,
    signal?: AbortSignal,
  ): Promise<{ readonly image: Image; readonly fresh: boolean }> {
    const { entry, image, state, reference } = this.find(name);
    if (state === "current" && image && !force) return { image, fresh: false };
    const made = await this.#builds.run(reference, (tell, stop) => this.#make(entry, tell, stop), progress, signal);
    return { image: made, fresh: true };
  }

  /** Whether an image keeps what its entry promises. */
  verify(name: string): Promise<readonly Finding[]> {
    return verifyItem(this.find(name), this.#parts.snapshots);
  }

  /** Packages of an image that its distribution has in newer versions. `not-found` when it is not on this machine. */
  async outdated(name: string, signal: AbortSignal): Promise<readonly OutdatedPackage[]> {
    const { image, reference } = this.find(name);
    if (!image) {
      throw new HavreError("not-found", `${reference} is not on this machine`, {
        hint: `Make it with: havre catalogue build ${name}`,
      });
    }
    const base = this.find("debian");
    await this.build(base.reference, false, () => {}, signal);
    let output = "";
    const entry = { ...base.entry, name: "outdated", file: "outdated" };
    const dockerfile = outdatedDockerfile(base.reference, image);
    const asked = await this.#build(entry, { dockerfile, files: {} }, { names: [], noCache: true }, signal, (event) => {
      if (event.kind === "log" && event.stream === "stdout") output += Buffer.from(event.data).toString();
    });
    await this.#parts.images.remove(asked.id, { force: true, prune: true });
    return outdatedPackages(output);
  }

  async #make(entry: Entry, progress: OnProgress, signal: AbortSignal): Promise<Image> {
    for (const base of basesOf(entry)) await this.build(base, false, progress, signal);
    const id = `${entry.name}:${entry.version}`;
    progress({ status: "Making it of Debian packages", id });
    const { recipe } = entry;
    const image = isRoot(recipe)
      ? await this.#makeRoot(entry, recipe, progress, signal)
      : await this.#buildDockerfile(entry, recipe, progress, signal);
    progress({ status: "Made", id });
    return image;
  }

  async #makeRoot(entry: Entry, recipe: RootRecipe, progress: OnProgress, signal: AbortSignal): Promise<Image> {
    const { images, content, snapshots } = this.#parts;
    const id = `${entry.name}:${entry.version}`;
    using contentHold = content.hold();
    using snapshotHold = snapshots.hold();
    void contentHold;
    void snapshotHold;
    const onLine = (line: string) => {
      const status = stageOf(line);
      if (status !== undefined) progress({ status, id });
    };
    // One at a time: they share a folder, and the disk is what they wait for.
    const layer = await this.#oneRoot.run(() =>
      images.layerFrom(undefined, this.#roots.make(entry, recipe, onLine, signal), signal),
    );
    const created = new Date(epochSeconds(entry.revision) * 1000).toISOString();
    const { os, architecture, variant } = hostPlatform();
    return images.make({
      layers: [layer],
      names: [entryReference(entry)],
      config: {
        created,
        author: entry.owner,
        os,
        architecture,
        ...(variant === undefined ? {} : { variant }),
        config: {
          Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
          Cmd: recipe.command,
          Labels: this.#labels(entry),
        },
        rootfs: { type: "layers", diff_ids: [layer.diffId] },
        history: [
          {
            created,
            author: entry.owner,
            created_by: `mmdebstrap --variant=${recipe.variant} --include=${recipe.packages.join(",")} ${recipe.suite}`,
          },
        ],
      },
    });
  }

  #buildDockerfile(entry: Entry, recipe: DockerfileRecipe, progress: OnProgress, signal: AbortSignal): Promise<Image> {
    const teller = new BuildTeller(`${entry.name}:${entry.version}`, progress);
    const how = { names: [entryReference(entry)], noCache: false };
    return this.#build(entry, recipe, how, signal, (event) => teller.event(event));
  }

  async #build(
    entry: Entry,
    { dockerfile, files }: DockerfileRecipe,
    { names, noCache }: { readonly names: readonly string[]; readonly noCache: boolean },
    signal: AbortSignal,
    onEvent: OnBuildEvent,
  ): Promise<Image> {
    const { builder, findImage } = this.#parts;
    using context = await builder.receive(writeTar(members(files)), signal);
    const platform = hostPlatform();
    const { image } = await builder.build(
      {
        dockerfile: { name: entry.file, text: dockerfile },
        names,
        keepSteps: false,
        epoch: epochSeconds(entry.revision) * 1000,
        findImage,
        supplies: {
          context: async () => context,
          lender: { secret: async () => undefined, sshSocket: async () => undefined },
        },
        options: {
          target: undefined,
          buildArgs: {},
          labels: this.#labels(entry),
          noCache,
          platform,
          buildPlatform: platform,
          network: "bridge",
          extraHosts: [],
          namedContexts: [],
          history: "buildkit",
          limits: NO_LIMITS,
        },
      },
      { planned: () => {}, event: onEvent },
      signal,
    );
    return image;
  }

  #labels(entry: Entry): Readonly<Record<string, string>> {
    return {
      "org.opencontainers.image.title": entry.name,
      "org.opencontainers.image.version": entry.version,
      "org.opencontainers.image.description": entry.summary,
      "org.opencontainers.image.vendor": entry.owner,
      "org.opencontainers.image.created": entry.revision,
      [SOURCE_LABEL]: this.#source(entry),
    };
  }

  /** The entry's text and those of its bases: an older base makes an image stale. */
  #source(entry: Entry): string {
    const bases = basesOf(entry).map((base) => this.#source(this.find(base).entry));
    return [short(entry.digest), ...bases].join(" ");
  }

  #item(entry: Entry): CatalogueItem {
    const reference = entryReference(entry);
    const image = this.#parts.images.find(reference);
    if (!image) return { entry, reference, image, state: "missing" };
    const current = image.config.config?.Labels?.[SOURCE_LABEL] === this.#source(entry);
    return { entry, reference, image, state: current ? "current" : "stale" };
  }
}

/** Of several versions of a name: plain ones before variants, then the higher. */
function newest(a: Entry, b: Entry): number {
  const variant = ({ version }: Entry) => Number(version.includes("-"));
  return variant(a) - variant(b) || b.version.localeCompare(a.version, "en", { numeric: true });
}

function short(digest: Digest): string {
  return digest.slice("sha256:".length, "sha256:".length + 16);
}

function* members(files: Readonly<Record<string, string>>): Generator<TarMember> {
  for (const [path, content] of Object.entries(files)) {
    const body = Buffer.from(content);
    yield { header: { path, size: body.length }, body };
  }
}

/** True for a name that the catalogue answers for. */
export function isCatalogueReference(name: string): boolean {
  try {
    return parseReference(name).domain === CATALOGUE_DOMAIN;
  } catch (error) {
    if (isHavreError(error)) return false;
    throw error;
  }
}

/** The name under which an image of the catalogue is known. */
export function canonical(name: string): string {
  return familiarReference(withDefaultTag(parseReference(name)));
}
