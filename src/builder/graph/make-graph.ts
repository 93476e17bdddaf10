import { HavreError, joinAll } from "../../base/mod.ts";
import type { ExecutionConfig, Platform } from "../../spec/mod.ts";
import {
  type Dockerfile,
  type PlannedStage,
  planBuild,
  resolveFrom,
  type Source,
  StageScope,
} from "../dockerfile/mod.ts";
import { contextFiles, contextTree } from "./context-vertex.ts";
import type { BaseImage, BuildGraph, GraphStage, ImageState } from "./graph.ts";
import { endOf, stateOf } from "./graph.ts";
import type { FindImage, GraphOptions } from "./options.ts";
import { DEFAULT_PATH, StageGrower } from "./stage-grower.ts";
import { type Vertex, vertex } from "./vertex.ts";

/**
 * A Dockerfile as a graph. Nothing runs; only the images that it stands on are looked at. Throws a `DockerfileError` with
 * its place for what is wrong in it.
 */
export async function makeGraph(
  dockerfile: Dockerfile,
  options: GraphOptions,
  find: FindImage,
  signal: AbortSignal,
): Promise<BuildGraph> {
  const images = new BaseImages(options.platform, find);
  const asked = {
    buildArgs: new Map(Object.entries(options.buildArgs)),
    buildPlatform: options.buildPlatform,
    targetPlatform: options.platform,
    contexts: new Set(options.namedContexts),
    ...(options.target === undefined ? {} : { target: options.target }),
  };
  let plan = planBuild(dockerfile, asked);
  // Triggers of the images may make a stage need others, which stand on images in turn.
  for (let known = -1; known !== images.size; plan = planBuild(dockerfile, { ...asked, triggers: images.triggers() })) {
    known = images.size;
    await joinAll(
      plan.needed.map((index) => (stop) => images.ofStage(plan.stages[index], stop)),
      signal,
    );
  }
  const built = new Map<number, GraphStage>();
  const scopes = new Map<number, StageScope>();
  for (const index of plan.needed) {
    const stage = plan.stages[index];
    if (!stage) throw new HavreError("internal", `Stage ${index} is needed and not there`);
    const below = stage.base.kind === "stage" ? built.get(stage.base.index) : undefined;
    const image = await images.ofStage(stage, signal);
    const initial = initialState(image, below);
    const inherited = stage.base.kind === "stage" ? scopes.get(stage.base.index) : undefined;
    const scope =
      inherited?.derive() ?? StageScope.onImage(dockerfile, plan.globals, asked.buildArgs, initial.config.Env ?? []);
    scopes.set(index, scope);
    const total = 1 + stage.commands.filter(({ kind }) => MAKING.has(kind)).length;
    const { inNames } = options;
    const prefix = `${inNames === undefined ? "" : `${inNames} `}${dockerfile.stages.length > 1 ? `${stage.title} ` : ""}`;
    const start = startOf(stage, image, below, `[${prefix}1/${total}]`);
    const tree = (from: string, kind: "copy" | "mount") =>
      treeOf(resolveFrom(dockerfile, from, kind, asked), (name) => images.find(name, stage.platform, signal), built);
    const grower = new StageGrower({
      stage,
      options,
      platform: images.platformOf(stage.platform),
      scope,
      start,
      initial,
      total,
      prefix,
      tree,
    });
    for (const [at, command] of stage.commands.entries()) await grower.add(command, at < stage.triggers);
    if (index === plan.target) grower.addLabels(options.labels);
    built.set(index, {
      stage: stage.stage,
      text: stage.stage.source.text,
      base: image,
      start,
      initial: grower.initial,
      steps: grower.steps,
      platform: images.platformOf(stage.platform),
    });
  }
  const stages = [...built.values()];
  const target = built.get(plan.target);
  if (!target) throw new HavreError("internal", "The target stage was not planned");
  return { stages, target };
}

/** Commands that make a vertex. */
const MAKING: ReadonlySet<string> = new Set(["run", "copy", "add", "workdir"]);

/** The images that stages stand on, each looked for once. */
class BaseImages {
  readonly #platform: Platform;
  readonly #find: FindImage;
  readonly #asked = new Map<string, Promise<BaseImage>>();
  readonly #triggers = new Map<string, readonly string[]>();

  constructor(platform: Platform, find: FindImage) {
    this.#platform = platform;
    this.#find = find;
  }

  get size(): number {
    return this.#asked.size;
  }

  triggers(): ReadonlyMap<string, readonly string[]> {
    return this.#triggers;
  }

  async ofStage(stage: PlannedStage | undefined, signal: AbortSignal): Promise<BaseImage | undefined> {
    if (stage?.base.kind !== "image") return undefined;
    const { reference } = stage.base;
    const image = await this.find(reference, stage.platform, signal);
    this.#triggers.set(reference, image.config.config?.OnBuild ?? []);
    return image;
  }

  find(name: string, platformText: string | undefined, signal: AbortSignal): Promise<BaseImage> {
    const platform = this.platformOf(platformText);
    const key = JSON.stringify([name, platform]);
    const known = this.#asked.get(key);
    if (known) return known;
    const found = this.#find(name, platform, signal);
    this.#asked.set(key, found);
    return found;
  }

  platformOf(text: string | undefined): Platform {
    if (text === undefined) return this.#platform;
    const [os = "linux", architecture = "", variant] = text.split("/");
    return { os, architecture, ...(variant === undefined ? {} : { variant }) };
  }
}

function startOf(
  { stage, base }: PlannedStage,
  image: BaseImage | undefined,
  below: GraphStage | undefined,
  prefix: string,
): Vertex {
  const lines = { first: stage.source.range.start.line, last: stage.source.range.end.line };
  if (below) return endOf(below);
  if (image) return vertex({ kind: "image", id: image.id }, [], { name: `${prefix} FROM ${image.name}`, lines });
  if (base.kind === "context") return contextTree(base.name);
  return vertex({ kind: "scratch" }, [], { name: `${prefix} FROM scratch`, lines });
}

/** What `--from` names: a tree, or the files of a client's context. */
async function treeOf(
  source: Source,
  find: (name: string) => Promise<BaseImage>,
  built: ReadonlyMap<number, GraphStage>,
): Promise<Vertex> {
  switch (source.kind) {
    case "context":
      return contextFiles(source.name);
    case "scratch":
      return vertex({ kind: "scratch" }, [], { name: "scratch" });
    case "image": {
      const image = await find(source.reference);
      return vertex({ kind: "image", id: image.id }, [], { name: `FROM ${image.name}` });
    }
    case "stage": {
      const stage = built.get(source.index);
      if (stage) return endOf(stage);
      throw new HavreError("invalid-argument", `invalid from flag value ${source.index}: the stage is not built yet`);
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
