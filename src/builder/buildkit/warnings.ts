import { IgnoreMatcher } from "../../spec/mod.ts";
import type { Dockerfile } from "../dockerfile/mod.ts";
import { type LintOptions, type LintWarning, lintDockerfile, planBuild } from "../dockerfile/mod.ts";
import type { BuildGraph } from "../graph/graph.ts";
import type { Definition } from "./client-files.ts";
import type { FrontendRequest } from "./frontend-options.ts";
import type { Progress } from "./progress.ts";

const LEVEL = 1n;

/** Tells what is better written otherwise in the stages that are built. Throws when the Dockerfile wants warnings to be errors. */
export function tellWarnings(
  dockerfile: Dockerfile,
  graph: BuildGraph,
  request: FrontendRequest,
  { file, vertex, ignore }: Definition,
  progress: Progress,
): void {
  const environments = new Map(
    graph.stages.flatMap(({ stage, base }) => (base ? [[stage.index, base.config.config?.Env ?? []] as const] : [])),
  );
  const stages = graph.stages.map(({ stage }) => stage.index);
  const { warnings, error } = lint(dockerfile, request, { environments, stages, ...matcherOf(ignore) });
  const info = { filename: file.name, data: Buffer.from(file.text), language: "Dockerfile" };
  progress.tell({
    warnings: warnings.map((warning) => ({
      vertex,
      level: LEVEL,
      short: Buffer.from(`${warning.rule}: ${warning.message} (line ${warning.range.start.line})`),
      detail: [Buffer.from(warning.description)],
      url: warning.url,
      info,
      ranges: linesOf(warning),
    })),
  });
  if (error) throw error;
}

/** The warnings about a Dockerfile that is read for a request. */
export function lint(dockerfile: Dockerfile, { options, contexts }: FrontendRequest, more: Partial<LintOptions> = {}) {
  const told = {
    buildArgs: new Map(Object.entries(options.buildArgs)),
    buildPlatform: options.buildPlatform,
    targetPlatform: options.platform,
    ...(options.target === undefined ? {} : { target: options.target }),
  };
  const plan = planBuild(dockerfile, { ...told, contexts: new Set(contexts.keys()) });
  return lintDockerfile(plan, { ...told, ...more });
}

function matcherOf(ignore: readonly string[] | undefined): Pick<LintOptions, "ignore"> {
  return ignore === undefined ? {} : { ignore: new IgnoreMatcher(ignore) };
}

/** One range for each line, as clients expect them. */
export function linesOf({ range }: Pick<LintWarning, "range">) {
  const { start, end } = range;
  return Array.from({ length: end.line - start.line + 1 }, (_, index) => {
    const line = { line: start.line + index };
    return { start: line, end: line };
  });
}
