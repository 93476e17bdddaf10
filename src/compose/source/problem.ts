import { HavreError } from "../../base/mod.ts";
import { formatPath, formatPosition, type Path, type Position } from "./node.ts";

/** Something wrong at a place in a file. */
export interface Problem {
  readonly at: Position;
  readonly path: Path;
  /** What is wrong, after the path: `unknown key "imge"`. */
  readonly what: string;
  readonly hint?: string;
}

const MOST = 10;

/** The problems of a file as one `invalid-argument`: a line for each, as `compose.yaml:3:5: services.web: what`. */
export function problemError(problems: readonly Problem[]): HavreError {
  const shown = problems.slice(0, MOST).map((problem) => {
    const path = problem.path.length === 0 ? "" : `${formatPath(problem.path)}: `;
    const hint = problem.hint === undefined || problems.length === 1 ? "" : ` (${problem.hint})`;
    return `${formatPosition(problem.at)}: ${path}${problem.what}${hint}`;
  });
  if (problems.length > MOST) shown.push(`and ${problems.length - MOST} more`);
  const hint = problems.length === 1 ? problems[0]?.hint : undefined;
  return new HavreError("invalid-argument", shown.join("\n"), hint === undefined ? {} : { hint });
}

/** One problem, thrown. */
export function fail(at: Position, path: Path, what: string, hint?: string): never {
  throw problemError([{ at, path, what, ...(hint === undefined ? {} : { hint }) }]);
}
