/**
 * Dockerfile → graph → solver → operations: `dockerfile/` reads the language.
 *
 * Words: instruction (a line of the text, as a tree), command (an instruction with types), stage, target.
 */
export * from "./dockerfile/mod.ts";
