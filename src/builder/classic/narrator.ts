import { type Digest, digestOf, shortId } from "../../base/mod.ts";
import type { ImageConfig } from "../../spec/mod.ts";
import type { BuildGraph, GraphStage, GraphStep, ImageState } from "../graph/graph.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { BuildEvent } from "../solver/events.ts";
import type { LayeredTree, Tree } from "../solver/tree.ts";

/** The configuration of the image that a stage is at some point. */
export type ConfigAt = (
  plan: BuildGraph,
  stage: GraphStage,
  state: ImageState,
  tree: LayeredTree,
  trees: ReadonlyMap<Digest, Tree>,
) => ImageConfig;

export interface NarratorHost {
  readonly configAt: ConfigAt;
  /** Whether an image is here already. */
  readonly known: (id: Digest) => boolean;
  /** Takes what is to be shown. */
  readonly say: (text: string) => void;
  /** Say that the container of a step is gone (`--rm`). */
  readonly removes: boolean;
}

/** One line of the file's story. */
type Line =
  | { readonly kind: "global"; readonly text: string }
  | { readonly kind: "from"; readonly text: string; readonly stage: GraphStage }
  | { readonly kind: "step"; readonly text: string; readonly stage: GraphStage; readonly step: GraphStep };

interface Story {
  said: string[];
  finished: boolean;
  cached: boolean;
  container: string | undefined;
}

const RED = "\u001b[91m";
const PLAIN = "\u001b[0m";

/**
 * Tells a build as Docker's own builder told it: step after step in the order of the file, though they run as they can.
 * What a step has to say waits until the steps before it are told.
 */
export class ClassicNarrator {
  readonly #host: NarratorHost;
  readonly #stories = new Map<Digest, Story>();
  readonly #trees = new Map<Digest, Tree>();
  readonly #lines: { readonly line: Line; readonly number: number }[] = [];
  #plan: BuildGraph | undefined;
  #total = 0;
  #at = 0;
  #headed = false;

  constructor(host: NarratorHost) {
    this.#host = host;
  }

  planned(plan: BuildGraph, globals: readonly string[], skipped: (stage: GraphStage) => number): void {
    this.#plan = plan;
    let number = 0;
    const add = (line: Line) => this.#lines.push({ line, number: ++number });
    for (const text of globals) add({ kind: "global", text });
    for (const stage of plan.stages) {
      number += skipped(stage);
      add({ kind: "from", text: stage.text, stage });
      for (const step of stage.steps.filter(({ onBuild }) => !onBuild))
        add({ kind: "step", text: step.text, stage, step });
    }
    this.#total = number;
    this.#tell();
  }

  event(event: BuildEvent): void {
    switch (event.kind) {
      case "running": {
        const story = this.#story(event.vertex);
        story.container = event.container;
        story.said.push(` ---> Running in ${shortId(event.container)}\n`);
        break;
      }
      case "log": {
        const text = Buffer.from(event.data).toString();
        this.#story(event.vertex).said.push(event.stream === "stderr" ? `${RED}${text}${PLAIN}` : text);
        break;
      }
      case "finished": {
        const story = this.#story(event.vertex);
        if (event.error) break;
        story.finished = true;
        story.cached = event.cached;
        if (event.tree) this.#trees.set(event.vertex, event.tree);
        break;
      }
      default:
        return;
    }
    this.#tell();
  }

  /** A build that failed: what is left to say of the step where it did. */
  failed(vertex: Vertex): void {
    const index = this.#lines.findIndex(
      ({ line }) => line.kind === "step" && line.step.vertex.digest === vertex.digest,
    );
    // Steps that ran beside the one that failed are not told any more.
    if (index < this.#at) return;
    const found = this.#lines[index];
    if (found?.line.kind !== "step") return;
    this.#head(found.line.text, found.number);
    this.#speak(this.#story(vertex.digest));
  }

  #tell(): void {
    for (; this.#at < this.#lines.length; this.#at++, this.#headed = false) {
      const { line, number } = this.#lines[this.#at] ?? {};
      if (!line || number === undefined) return;
      if (!this.#headed) this.#head(line.text, number);
      this.#headed = true;
      if (line.kind === "global") continue;
      if (line.kind === "from") {
        if (!this.#tellBase(line.stage)) return;
      } else if (!this.#tellStep(line.stage, line.step)) return;
    }
  }

  #head(text: string, number: number): void {
    if (!this.#headed) this.#host.say(`Step ${number}/${this.#total} : ${text}\n`);
  }

  #tellBase(stage: GraphStage): boolean {
    if (stage.base) {
      this.#host.say(` ---> ${shortId(stage.base.id)}\n`);
      return true;
    }
    const tree = this.#trees.get(stage.start.digest);
    if (tree?.kind !== "layers") return false;
    const empty = stage.initial.history.length === 0;
    this.#host.say(` ---> ${empty ? "" : shortId(this.#id(stage, stage.initial, tree))}\n`);
    return true;
  }

  #tellStep(stage: GraphStage, step: GraphStep): boolean {
    const story = this.#story(step.vertex.digest);
    if (step.changesTree) this.#speak(story);
    const tree = this.#trees.get(step.vertex.digest);
    if (tree?.kind !== "layers") return false;
    const id = this.#id(stage, step.state, tree);
    if (step.changesTree && story.container !== undefined && this.#host.removes) {
      this.#host.say(` ---> Removed intermediate container ${shortId(story.container)}\n`);
    }
    const cached = step.changesTree ? story.cached : this.#host.known(id);
    if (cached) this.#host.say(" ---> Using cache\n");
    this.#host.say(` ---> ${shortId(id)}\n`);
    return true;
  }

  #speak(story: Story): void {
    for (const text of story.said.splice(0)) this.#host.say(text);
  }

  #id(stage: GraphStage, state: ImageState, tree: LayeredTree): Digest {
    if (!this.#plan) return digestOf("");
    return digestOf(JSON.stringify(this.#host.configAt(this.#plan, stage, state, tree, this.#trees)));
  }

  #story(vertex: Digest): Story {
    const known = this.#stories.get(vertex);
    if (known) return known;
    const story: Story = { said: [], finished: false, cached: false, container: undefined };
    this.#stories.set(vertex, story);
    return story;
  }
}
