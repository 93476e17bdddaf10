/**
 * What is learned from an observed run: pure readings of what the kernel told.
 *
 * Words: attempt (a program tried a system call on a target), observed (all attempts of a run), need (a grant, and the
 * attempts that show it). Nothing here decides what a container gets: it says what to ask for.
 */
export * from "./always-called.ts";
export * from "./capability-calls.ts";
export * from "./filter.ts";
export * from "./needs.ts";
export * from "./observed.ts";
export * from "./refused.ts";
