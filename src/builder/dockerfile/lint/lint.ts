import { HavreError } from "../../../base/mod.ts";
import type { IgnoreMatcher } from "../../../spec/mod.ts";
import type { Dockerfile } from "../commands.ts";
import type { BuildPlan, PlanOptions } from "../plan.ts";
import { StageScope } from "../scope.ts";
import { type Check, NO_CHECK, parseCheck } from "./check.ts";
import { lintFroms } from "./from-rules.ts";
import { type LintWarning, Reporter } from "./reporter.ts";
import { lintStage, type StageState } from "./stage-rules.ts";
import { lintText } from "./text-rules.ts";

export interface LintOptions extends Pick<PlanOptions, "buildArgs" | "buildPlatform" | "targetPlatform"> {
  /** Environment of the images that stages stand on, by stage. Of others nothing is said about undefined variables. */
  readonly environments?: ReadonlyMap<number, readonly string[]>;
  readonly ignore?: IgnoreMatcher;
  /** Wins over the file's own `check` directive. */
  readonly check?: Check;
  /** The stages whose commands are looked at; all when not given. */
  readonly stages?: readonly number[];
}

export interface LintResult {
  /** In the order of the file. */
  readonly warnings: readonly LintWarning[];
  /** `failed-precondition`, BuildKit's text: the file wants warnings to be errors. */
  readonly error?: HavreError;
}

/** Warnings about a Dockerfile that was read and planned. `invalid-argument` when its `check` directive cannot be read. */
export function lintDockerfile(plan: BuildPlan, options: LintOptions): LintResult {
  const { dockerfile } = plan;
  const check = options.check ?? ownCheck(dockerfile);
  const reporter = new Reporter(check);
  lintText(dockerfile, reporter);
  lintFroms(dockerfile, plan.globals, options, reporter);
  const states: StageState[] = [];
  for (const planned of plan.stages) {
    const { index } = planned.stage;
    const state = stateOf(plan, index, states, options);
    states.push(state);
    if (options.stages === undefined || options.stages.includes(index)) {
      lintStage(planned, state, options.ignore, reporter);
    }
  }
  const { warnings } = reporter;
  if (!check.error || warnings.length === 0) return { warnings };
  const rules = [...new Set(warnings.map(({ rule }) => rule))].join(", ");
  return { warnings, error: new HavreError("failed-precondition", `lint violation found for rules: ${rules}`) };
}

function ownCheck({ directives: { check } }: Dockerfile): Check {
  return check === undefined ? NO_CHECK : parseCheck(check.text.split(" ", 1)[0] ?? "");
}

function stateOf(plan: BuildPlan, index: number, states: readonly StageState[], options: LintOptions): StageState {
  const base = plan.stages[index]?.base;
  const parent = base?.kind === "stage" ? states[base.index] : undefined;
  if (parent !== undefined) return { ...parent, scope: parent.scope.derive() };
  const environment = base?.kind === "scratch" ? [] : options.environments?.get(index);
  // Every container has a PATH.
  const entries = environment?.some((entry) => entry.startsWith("PATH="))
    ? environment
    : [...(environment ?? []), "PATH=/"];
  return {
    scope: StageScope.onImage(plan.dockerfile, plan.globals, options.buildArgs, entries),
    variablesKnown: environment !== undefined,
    workdirSet: false,
    shellSet: false,
  };
}
