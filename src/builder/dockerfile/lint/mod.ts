/**
 * Warnings about Dockerfiles that work and yet are better written otherwise: the rules of BuildKit, by name, each with a place and a reason.
 *
 * Words: rule, check (what a `check` directive or option says about rules), warning. Owns no state.
 */
export { type Check, parseCheck } from "./check.ts";
export { type LintOptions, type LintResult, lintDockerfile } from "./lint.ts";
export type { LintWarning } from "./reporter.ts";
export { RULES, type RuleName } from "./rules.ts";
