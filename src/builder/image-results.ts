import { type Digest, digestOf, HavreError } from "../base/mod.ts";
import type { Image } from "../images/mod.ts";
import type { ImageConfig } from "../spec/mod.ts";
import type { BuildRequest, BuiltPlatform } from "./build-request.ts";
import { INLINE_FIELD } from "./cache/cache-config.ts";
import { inlineCache } from "./cache/export-cache.ts";
import { type BuildGraph, endOf, type GraphStage, type ImageState, stateOf } from "./graph/graph.ts";
import { imageConfig } from "./graph/image-config.ts";
import type { OpContext } from "./ops/context.ts";
import { squash } from "./ops/squash.ts";
import type { Solved } from "./solver/solver.ts";
import type { LayeredTree, Tree } from "./solver/tree.ts";

/** Makes images of what a build came to. */
export class ImageResults {
  readonly #ops: OpContext;

  constructor(ops: OpContext) {
    this.#ops = ops;
  }

  /** `names`: what to call it. */
  async make(
    request: Pick<BuildRequest, "keepSteps" | "squash" | "epoch" | "inlineCache">,
    names: readonly string[],
    { plan, solved }: Pick<BuiltPlatform, "plan" | "solved">,
    signal: AbortSignal,
  ): Promise<Image> {
    const { images } = this.#ops;
    const { trees } = solved;
    let parent = baseOf(plan, plan.target)?.id;
    if (request.keepSteps) {
      for (const { stage, state, tree } of statesBefore(plan, trees)) {
        const config = this.configAt(plan, stage, state, tree, trees, request.epoch);
        const id = digestOf(JSON.stringify(config));
        if (!images.knows(id)) {
          await images.make({ config, layers: tree.layers, names: [], ...(parent ? { parent } : {}) });
        }
        parent = id;
      }
    }
    const tree = treeOf(trees, endOf(plan.target).digest);
    const config = this.configOf(request, plan, solved, tree);
    if (request.squash) return this.#makeSquashed(config, tree, baseOf(plan, plan.target), names, signal);
    return images.make({ config, layers: tree.layers, names, ...(parent ? { parent } : {}) });
  }

  /** Docker's way: the history tells of every step as of one without a layer, and at last of the merging. */
  async #makeSquashed(
    config: ImageConfig,
    { layers }: LayeredTree,
    base: GraphStage["base"],
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<Image> {
    const keep = base?.config.rootfs.diff_ids.length ?? 0;
    const given = base?.config.history?.length ?? 0;
    const layer = await squash(this.#ops, layers, keep, signal);
    const kept = layer ? [...layers.slice(0, keep), layer] : layers.slice(0, keep);
    const id = digestOf(JSON.stringify(config));
    const history = (config.history ?? []).map((entry, at) => (at < given ? entry : { ...entry, empty_layer: true }));
    const { created } = config;
    const comment = base ? `merge ${id} to ${base.id}` : `create new from ${id}`;
    const merged = { ...(created ? { created } : {}), comment, ...(layer ? {} : { empty_layer: true }) };
    return this.#ops.images.make({
      config: {
        ...config,
        history: [...history, merged],
        rootfs: { type: "layers", diff_ids: kept.map(({ diffId }) => diffId) },
      },
      layers: kept,
      names,
    });
  }

  /** The configuration of the image that a build comes to. */
  configOf(
    { epoch, inlineCache: inlined }: Pick<BuildRequest, "epoch" | "inlineCache">,
    plan: BuildGraph,
    { trees, steps }: Solved,
    tree: LayeredTree,
  ): ImageConfig {
    const config = this.configAt(plan, plan.target, stateOf(plan.target), tree, trees, epoch);
    return inlined ? { ...config, [INLINE_FIELD]: inlineCache(steps, tree, epoch) } : config;
  }

  /** The configuration of an image that a stage comes to at some point. */
  configAt(
    plan: BuildGraph,
    stage: GraphStage,
    state: ImageState,
    tree: LayeredTree,
    trees: ReadonlyMap<Digest, Tree>,
    epoch?: number,
  ) {
    return imageConfig({
      state,
      tree,
      trees,
      platform: stage.platform,
      base: baseOf(plan, stage)?.config,
      now: this.#ops.clock.now(),
      ...(epoch === undefined ? {} : { epoch }),
    });
  }
}

/** The image at the bottom of a stage, through the stages it is made on. */
function baseOf(plan: BuildGraph, stage: GraphStage): GraphStage["base"] {
  if (stage.base) return stage.base;
  const below = plan.stages.find((other) => other !== stage && endOf(other).digest === stage.start.digest);
  return below && baseOf(plan, below);
}

/** The tree that a vertex came to. */
export function treeOf(trees: ReadonlyMap<Digest, Tree>, digest: Digest): LayeredTree {
  const tree = trees.get(digest);
  if (tree?.kind === "layers") return tree;
  throw new HavreError("internal", "A stage did not come to a tree");
}

/** What the target stage, and those it is made on, were after each step but the last. */
function* statesBefore(plan: BuildGraph, trees: ReadonlyMap<Digest, Tree>) {
  const line: GraphStage[] = [];
  for (let stage: GraphStage | undefined = plan.target; stage; ) {
    line.unshift(stage);
    const { start, base }: GraphStage = stage;
    const current: GraphStage = stage;
    stage = base ? undefined : plan.stages.find((other) => other !== current && endOf(other).digest === start.digest);
  }
  const all = line.flatMap((stage) => stage.steps.map((step) => ({ stage, step })));
  for (const { stage, step } of all.slice(0, -1)) {
    yield { stage, state: step.state, tree: treeOf(trees, step.vertex.digest) };
  }
}
