import { HavreError } from "../../base/mod.ts";
import type { ExecutionConfig, Platform } from "../../spec/mod.ts";
import {
  type Command,
  type Dockerfile,
  DockerfileError,
  expandWord,
  parseTrigger,
  type Stage,
} from "../dockerfile/mod.ts";
import { contextFiles, contextTree } from "./context-vertex.ts";
import type { FindImage, GraphOptions } from "./options.ts";
import { type BaseImage, type BuildGraph, endOf, type GraphStage, type ImageState, stateOf } from "./plan.ts";
import { globalScope, platformArgs } from "./scope.ts";
import { StagePlanner } from "./stage-planner.ts";
import { type Vertex, vertex } from "./vertex.ts";

export const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * A Dockerfile as a graph. Nothing runs; only the images that it stands on are looked at. Throws a `DockerfileError` with
 * its place for what is wrong in it.
 */
export async function makePlan(dockerfile: Dockerfile, options: GraphOptions, find: FindImage): Promise<BuildGraph> {
  return new Planner(dockerfile, options, find).plan();
}

/** What a stage is made on: an earlier stage, an image, a context of the client, or nothing. */
type Base =
  | { readonly kind: "stage"; readonly stage: Stage }
  | { readonly kind: "image"; readonly name: string }
  | { readonly kind: "context"; readonly name: string }
  | { readonly kind: "scratch" };

class Planner {
  readonly #dockerfile: Dockerfile;
  readonly #options: GraphOptions;
  readonly #find: FindImage;
  readonly #globals: ReadonlyMap<string, string>;
  readonly #planned = new Map<number, GraphStage>();
  readonly #images = new Map<string, Promise<BaseImage>>();

  constructor(dockerfile: Dockerfile, options: GraphOptions, find: FindImage) {
    this.#dockerfile = dockerfile;
    this.#options = options;
    this.#find = find;
    const automatic = platformArgs(options.platform, options.buildPlatform, options.target ?? "default");
    this.#globals = globalScope(dockerfile.globalArgs, automatic, options.buildArgs, dockerfile.directives.escape);
  }

  async plan(): Promise<BuildGraph> {
    const target = this.#target();
    const needed = this.#needed(target);
    // What is fetched is fetched at once.
    for (const stage of needed) for (const name of this.#imagesOf(stage)) void this.#image(name, stage);
    for (const stage of needed) this.#planned.set(stage.index, await this.#planStage(stage, stage === target));
    const stages = needed.map((stage) => this.#stagePlan(stage));
    return { stages, target: this.#stagePlan(target) };
  }

  #target(): Stage {
    const { stages, file } = this.#dockerfile;
    const { target } = this.#options;
    const last = stages.at(-1);
    if (!last) throw new HavreError("invalid-argument", `${file.name} has no stages`);
    if (target === undefined || target === "") return last;
    const named = this.#findStage(target, stages.length);
    if (named) return named;
    throw new HavreError("invalid-argument", `target stage ${JSON.stringify(target)} could not be found`, {
      hint: `Stages of ${file.name}: ${stages.map(({ name, index }) => name ?? index).join(", ")}`,
    });
  }

  /** A stage before number `before` by name or number; of two with one name the last. */
  #findStage(words: string, before: number): Stage | undefined {
    const earlier = this.#dockerfile.stages.slice(0, before);
    const named = earlier.findLast(({ name }) => name === words.toLowerCase());
    if (named) return named;
    return /^\d+$/.test(words) ? earlier[Number(words)] : undefined;
  }

  #base(stage: Stage): Base {
    const name = this.#global(stage.base, stage);
    if (name === "") {
      const message = `base name (${stage.base}) should not be blank`;
      throw new DockerfileError(message, stage.source.file, stage.source.range, { expected: "a stage or an image" });
    }
    if (this.#options.namedContexts.includes(name)) return { kind: "context", name };
    const earlier = this.#dockerfile.stages
      .slice(0, stage.index)
      .findLast((other) => other.name === name.toLowerCase());
    if (earlier) return { kind: "stage", stage: earlier };
    return name === "scratch" ? { kind: "scratch" } : { kind: "image", name };
  }

  #global(text: string, stage: Stage): string {
    try {
      return expandWord(text, this.#globals, { escape: this.#dockerfile.directives.escape }).text;
    } catch (error) {
      if (!(error instanceof HavreError)) throw error;
      throw new DockerfileError(error.message, stage.source.file, stage.source.range);
    }
  }

  /** The stages a target needs, itself last, in the order of the file. */
  #needed(target: Stage): readonly Stage[] {
    const needed = new Set<Stage>();
    const visit = (stage: Stage) => {
      if (needed.has(stage)) return;
      needed.add(stage);
      const base = this.#base(stage);
      if (base.kind === "stage") visit(base.stage);
      for (const words of fromsOf(stage.commands)) {
        const other = this.#options.namedContexts.includes(words) ? undefined : this.#findStage(words, stage.index);
        if (other) visit(other);
        else if (this.#findStage(words, this.#dockerfile.stages.length)?.index === stage.index) {
          throw new DockerfileError(
            `circular dependency detected on stage: ${words}`,
            stage.source.file,
            stage.source.range,
          );
        }
      }
    };
    visit(target);
    return [...needed].sort((a, b) => a.index - b.index);
  }

  #imagesOf(stage: Stage): readonly string[] {
    const base = this.#base(stage);
    return base.kind === "image" ? [base.name] : [];
  }

  #platformOf(stage: Stage): Platform {
    if (stage.platform === undefined) return this.#options.platform;
    const [os = "linux", architecture = "", variant] = this.#global(stage.platform, stage).split("/");
    return { os, architecture, ...(variant === undefined ? {} : { variant }) };
  }

  #image(name: string, stage: Stage): Promise<BaseImage> {
    const platform = this.#platformOf(stage);
    const key = JSON.stringify([name, platform]);
    const known = this.#images.get(key);
    if (known) return known;
    const found = this.#find(name, platform);
    found.catch(() => {});
    this.#images.set(key, found);
    return found;
  }

  #stagePlan(stage: Stage): GraphStage {
    const planned = this.#planned.get(stage.index);
    if (!planned) throw new HavreError("internal", `Stage ${stage.index} is needed before it is planned`);
    return planned;
  }

  async #planStage(stage: Stage, isTarget: boolean): Promise<GraphStage> {
    const base = this.#base(stage);
    const image = base.kind === "image" ? await this.#image(base.name, stage) : undefined;
    const below = base.kind === "stage" ? this.#stagePlan(base.stage) : undefined;
    const initial = initialState(image, below);
    const onBuild = (image?.config.config?.OnBuild ?? (below ? stateOf(below).config.OnBuild : undefined) ?? []).map(
      (text) => parseTrigger(text),
    );
    const commands = [
      ...onBuild.map((command) => ({ command, onBuild: true })),
      ...stage.commands.map((command) => ({ command, onBuild: false })),
    ];
    const total = 1 + commands.filter(({ command }) => MAKING.has(command.kind)).length;
    const start = this.#start(stage, base, image, below, total);
    const planner = new StagePlanner({
      stage,
      dockerfile: this.#dockerfile,
      options: this.#options,
      globals: this.#globals,
      start,
      initial,
      total,
      isOnly: this.#dockerfile.stages.length === 1,
      inheritedArgs: new Map(),
      tree: (words) => this.#treeOf(words, stage),
    });
    for (const { command, onBuild: triggered } of commands) await planner.add(command, triggered);
    if (isTarget) planner.addLabels(this.#options.labels);
    return {
      stage,
      text: stage.source.text,
      base: image,
      start,
      initial,
      steps: planner.steps,
      platform: this.#platformOf(stage),
    };
  }

  #start(stage: Stage, base: Base, image: BaseImage | undefined, below: GraphStage | undefined, total: number): Vertex {
    const lines = { first: stage.source.range.start.line, last: stage.source.range.end.line };
    const prefix = this.#dockerfile.stages.length > 1 ? `${stage.name ?? `stage-${stage.index}`} ` : "";
    if (below) return endOf(below);
    if (image)
      return vertex({ kind: "image", id: image.id }, [], { name: `[${prefix}1/${total}] FROM ${image.name}`, lines });
    if (base.kind === "context") return contextTree(base.name);
    return vertex({ kind: "scratch" }, [], { name: `[${prefix}1/${total}] FROM scratch`, lines });
  }

  /** What `--from` names: its tree, or the files of a client's context. */
  async #treeOf(words: string, user: Stage): Promise<Vertex> {
    if (this.#options.namedContexts.includes(words)) return contextFiles(words);
    const stage = this.#findStage(words, user.index);
    if (stage) return endOf(this.#stagePlan(stage));
    if (words === "scratch") return vertex({ kind: "scratch" }, [], { name: "scratch" });
    if (/^\d+$/.test(words)) {
      throw new HavreError("invalid-argument", `invalid from flag value ${words}: stage index out of range`);
    }
    const image = await this.#image(words, user);
    return vertex({ kind: "image", id: image.id }, [], { name: `FROM ${image.name}` });
  }
}

/** Commands that make a vertex. */
const MAKING: ReadonlySet<Command["kind"]> = new Set(["run", "copy", "add", "workdir"]);

/** Stages, contexts and images that commands of a stage take files from. */
function* fromsOf(commands: readonly Command[]): Generator<string> {
  for (const command of commands) {
    if (command.kind === "copy" && command.from !== undefined) yield command.from;
    if (command.kind !== "run") continue;
    for (const mount of command.mounts) {
      if ((mount.type === "bind" || mount.type === "cache") && mount.from !== undefined) yield mount.from;
    }
  }
}

function initialState(image: BaseImage | undefined, below: GraphStage | undefined): ImageState {
  const state: ImageState = below
    ? stateOf(below)
    : {
        config: image?.config.config ?? {},
        author: image?.config.author ?? "",
        history: (image?.config.history ?? []).map((entry) => ({ kind: "given", entry })),
      };
  // Triggers are for who builds on the image, not for who builds on that.
  const { OnBuild: _triggers, ...config } = state.config;
  return { ...state, config: withPath(config) };
}

function withPath(config: ExecutionConfig): ExecutionConfig {
  const env = config.Env ?? [];
  return env.some((variable) => variable.startsWith("PATH=")) ? config : { ...config, Env: [...env, DEFAULT_PATH] };
}
