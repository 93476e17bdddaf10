import { HavreError } from "../../base/mod.ts";
import type { Command, Dockerfile, Stage } from "./commands.ts";
import { contextName } from "./context-name.ts";
import { DockerfileError } from "./errors.ts";
import { parseTrigger } from "./parse-dockerfile.ts";
import { standingAt } from "./places.ts";
import { type BuildArguments, expandAt, globalArgs } from "./scope.ts";
import { didYouMean } from "./suggest.ts";

/** Where files come from: what a stage stands on, what `--from` names. */
export type Source =
  | { readonly kind: "scratch" }
  | { readonly kind: "stage"; readonly index: number }
  /** A named context (`--build-context`). */
  | { readonly kind: "context"; readonly name: string }
  | { readonly kind: "image"; readonly reference: string };

/** A stage as it is to be built. */
export interface PlannedStage {
  readonly stage: Stage;
  /** For people: its name, or `stage-N`. */
  readonly title: string;
  readonly base: Source;
  /** `--platform` of its base, variables put in. */
  readonly platform?: string;
  /** The triggers of its base, then its own; nothing is expanded. */
  readonly commands: readonly Command[];
  /** How many of the commands are triggers. */
  readonly triggers: number;
  /** The stages that have to be built before it, without those they need in turn. */
  readonly needs: readonly number[];
}

export interface BuildPlan {
  readonly dockerfile: Dockerfile;
  readonly globals: ReadonlyMap<string, string>;
  readonly stages: readonly PlannedStage[];
  /** Index of the stage that is asked for. */
  readonly target: number;
  /** Indices of the stages the target needs, itself included, in the order of the file. The others are not built. */
  readonly needed: readonly number[];
}

export interface PlanOptions extends BuildArguments {
  /** Names of the contexts that were given beside the main one; they win over stages and images. */
  readonly contexts?: ReadonlySet<string>;
  /** `ONBUILD` of the images stages stand on, by reference. They may make a stage need others: plan again when they are known. */
  readonly triggers?: ReadonlyMap<string, readonly string[]>;
}

/**
 * Which stages a build has to make, and on what each stands. `invalid-argument` or `not-found` with BuildKit's texts: a base without a
 * name, a target or stage that is not there, stages that need each other in a circle.
 */
export function planBuild(dockerfile: Dockerfile, options: PlanOptions): BuildPlan {
  const globals = globalArgs(dockerfile, options);
  const stages: PlannedStage[] = [];
  for (const stage of dockerfile.stages) stages.push(planStage(dockerfile, stage, stages, globals, options));
  const target = findTarget(dockerfile, options.target);
  const complete = stages.map((planned) => ({ ...planned, needs: needsOf(dockerfile, planned, options) }));
  refuseCircles(complete);
  const needed = reachable(complete, target);
  for (const planned of complete) {
    if (needed.includes(planned.stage.index)) refuseLaterStages(dockerfile, planned, options);
  }
  return { dockerfile, globals, stages: complete, target, needed };
}

/** What `--from` of `COPY` or of a mount means. `invalid-argument` for an index that is no stage's. */
export function resolveFrom(
  dockerfile: Dockerfile,
  from: string,
  kind: "copy" | "mount",
  options: PlanOptions,
): Source {
  const name = from.toLowerCase();
  const named = contextName(name);
  if (options.contexts?.has(named)) return { kind: "context", name: named };
  const stage = dockerfile.stages.findLast((other) => other.name === name);
  if (stage !== undefined) return { kind: "stage", index: stage.index };
  if (name === "scratch") return { kind: "scratch" };
  if (kind === "copy" && /^[+-]?\d+$/.test(from)) {
    const index = Number(from);
    if (dockerfile.stages[index] === undefined)
      throw new HavreError("invalid-argument", `invalid stage index ${index}`);
    return { kind: "stage", index };
  }
  return { kind: "image", reference: from };
}

function planStage(
  dockerfile: Dockerfile,
  stage: Stage,
  before: readonly PlannedStage[],
  globals: ReadonlyMap<string, string>,
  options: PlanOptions,
): PlannedStage {
  const { source } = stage;
  const expand = (word: string) => expandAt(source, word, globals, { escape: dockerfile.directives.escape });
  const name = expand(stage.base);
  if (name === "") {
    throw new DockerfileError(`base name (${stage.base}) should not be blank`, source.file, source.range, {
      expected: "an image, an earlier stage or scratch",
    });
  }
  const base = baseOf(stage, name, before, options);
  const platform = stage.platform === undefined ? undefined : expand(stage.platform);
  if (platform === "") {
    const message = `empty platform value from expression ${stage.platform}`;
    throw new DockerfileError(message, source.file, source.range, { expected: "os/architecture" });
  }
  const triggers = triggersOf(base, before, options).map((text) => triggerOf(text, stage));
  return {
    stage,
    title: stage.name ?? `stage-${stage.index}`,
    base,
    ...(platform === undefined ? {} : { platform }),
    commands: [...triggers, ...stage.commands],
    triggers: triggers.length,
    needs: [],
  };
}

function baseOf(stage: Stage, name: string, before: readonly PlannedStage[], { contexts }: PlanOptions): Source {
  // A context of the stage's own name takes the place of all of it.
  if (stage.name !== undefined && contexts?.has(stage.name)) return { kind: "context", name: stage.name };
  const earlier = before.findLast((other) => other.stage.name === name.toLowerCase());
  if (earlier !== undefined) return { kind: "stage", index: earlier.stage.index };
  if (name === "scratch") return { kind: "scratch" };
  const named = contextName(name);
  if (contexts?.has(named)) return { kind: "context", name: named };
  return { kind: "image", reference: name };
}

function triggersOf(base: Source, before: readonly PlannedStage[], { triggers }: PlanOptions): readonly string[] {
  if (base.kind === "image") return triggers?.get(base.reference) ?? [];
  if (base.kind !== "stage") return [];
  const commands = before[base.index]?.commands ?? [];
  return commands.flatMap((command) => (command.kind === "onbuild" ? [command.trigger] : []));
}

function triggerOf(text: string, stage: Stage): Command {
  try {
    const command = parseTrigger(text);
    return { ...command, source: standingAt(command.source, stage.source) };
  } catch (error) {
    if (!(error instanceof HavreError)) throw error;
    throw new DockerfileError(error.message, stage.source.file, stage.source.range);
  }
}

function needsOf(dockerfile: Dockerfile, { base, commands }: PlannedStage, options: PlanOptions): readonly number[] {
  const sources = [base, ...commands.flatMap((command) => sourcesOf(dockerfile, command, options))];
  return [...new Set(sources.flatMap((source) => (source.kind === "stage" ? [source.index] : [])))];
}

/** What a command takes files from, besides the main context. */
export function sourcesOf(dockerfile: Dockerfile, command: Command, options: PlanOptions): readonly Source[] {
  if (command.kind === "run") {
    return command.mounts.flatMap((mount) =>
      "from" in mount && mount.from !== undefined ? [resolveFrom(dockerfile, mount.from, "mount", options)] : [],
    );
  }
  if (command.kind !== "copy" || command.from === undefined) return [];
  const { source, from } = command;
  const fail = (message: string, expected: string): never => {
    const flag = source.flags.find(({ text }) => text.startsWith("--from="));
    throw new DockerfileError(message, source.file, flag?.range ?? source.range, { expected });
  };
  const word = { escape: dockerfile.directives.escape };
  if (expandAt(source, from, new Map(), word) !== from) {
    const advice = "define a new stage with FROM using ARG from global scope as a workaround";
    fail(`variable expansion is not supported for --from, ${advice}`, "a stage or an image");
  }
  try {
    return [resolveFrom(dockerfile, from, "copy", options)];
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), "the name or index of a stage");
  }
}

function findTarget({ stages }: Dockerfile, target: string | undefined): number {
  if (!target) return stages.length - 1;
  const named = stages.findLast(({ name }) => name === target.toLowerCase());
  const found = named ?? (/^\d+$/.test(target) ? stages[Number(target)] : undefined);
  if (found !== undefined) return found.index;
  const names = stages.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const message = `target stage ${JSON.stringify(target)} could not be found${didYouMean(target, names)}`;
  throw new HavreError("invalid-argument", message, {
    hint: names.length === 0 ? "No stage has a name" : `The Dockerfile has these stages: ${names.join(", ")}`,
  });
}

function reachable(stages: readonly PlannedStage[], target: number): readonly number[] {
  const found = new Set([target]);
  for (const index of found) for (const need of stages[index]?.needs ?? []) found.add(need);
  return [...found].toSorted((a, b) => a - b);
}

function refuseCircles(stages: readonly PlannedStage[]): void {
  const done = new Set<number>();
  for (const { stage } of stages) {
    // Without recursion: a chain of stages may be long.
    const path = [{ index: stage.index, next: 0 }];
    const open = new Set([stage.index]);
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const need = done.has(at.index) ? undefined : stages[at.index]?.needs[at.next++];
      if (need === undefined) {
        done.add(at.index);
        open.delete(at.index);
        path.pop();
        continue;
      }
      const planned = stages[need];
      if (open.has(need) && planned !== undefined) {
        const { file, range } = planned.stage.source;
        throw new DockerfileError(`circular dependency detected on stage: ${planned.title}`, file, range);
      }
      if (done.has(need)) continue;
      open.add(need);
      path.push({ index: need, next: 0 });
    }
  }
}

function refuseLaterStages(dockerfile: Dockerfile, planned: PlannedStage, options: PlanOptions): void {
  for (const command of planned.commands) {
    for (const source of sourcesOf(dockerfile, command, options)) {
      if (source.kind !== "stage" || source.index < planned.stage.index) continue;
      const name = dockerfile.stages[source.index]?.name ?? `stage-${source.index}`;
      const order = `it needs to be defined before current stage ${JSON.stringify(planned.title)}`;
      const message = `cannot copy from stage ${JSON.stringify(name)}, ${order}`;
      const { file, range } = command.source;
      throw new DockerfileError(message, file, range, { expected: "an earlier stage" });
    }
  }
}
