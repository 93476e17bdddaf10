/**
 * Go templates for `--format`: the language of text/template with Docker's functions (json, join, table …).
 * Pure; owns no state.
 */
export { type ExecuteOptions, Template } from "./execute.ts";
export { TemplateError } from "./syntax.ts";
export { evaluateRow, type Row } from "./values.ts";
