import type { SourceFile, SourceRange } from "../source.ts";
import type { Instruction } from "../tree.ts";
import { type Check, withComments } from "./check.ts";
import { EXPERIMENTAL, RULES, type RuleName, ruleUrl } from "./rules.ts";

export interface LintWarning {
  readonly rule: RuleName;
  /** What is wrong here. */
  readonly message: string;
  /** Why it matters. */
  readonly description: string;
  readonly url: string;
  readonly file: SourceFile;
  readonly range: SourceRange;
}

/** Collects the warnings of the rules that count, in the order of the file. */
export class Reporter {
  readonly #check: Check;
  readonly #warnings: LintWarning[] = [];

  constructor(check: Check) {
    this.#check = check;
  }

  /** `range`: where it is, when it is not the whole instruction. */
  warn(
    rule: RuleName,
    source: Pick<Instruction, "file" | "range" | "comments">,
    message: string,
    range = source.range,
  ) {
    if (!this.#counts(rule, source.comments)) return;
    this.#warnings.push({ rule, message, description: RULES[rule], url: ruleUrl(rule), file: source.file, range });
  }

  get warnings(): readonly LintWarning[] {
    const { line, column } = {
      line: (w: LintWarning) => w.range.start.line,
      column: (w: LintWarning) => w.range.start.column,
    };
    return this.#warnings.toSorted((a, b) => line(a) - line(b) || column(a) - column(b));
  }

  #counts(rule: RuleName, comments: readonly string[]): boolean {
    const { skip, experimental } = withComments(this.#check, comments);
    if (EXPERIMENTAL.includes(rule)) return experimental === "all" || experimental.includes(rule);
    return skip !== "all" && !skip.includes(rule);
  }
}
