/**
 * `havre top` without a container: a whole engine on one screen.
 *
 * Words: a *look* is what the engine says at one moment; the *board* keeps the last ones and works out what happens per
 * second; *rows* are what of it is shown, in order; a *key* changes the *state*, and may ask for an *effect*; the *frame* is what
 * the terminal is to show.
 *
 * Owns the terminal while it runs. Invariants: whatever way it ends, the terminal is as it was; nothing a container writes
 * reaches the terminal but as plain text; all but `session`, `screen` and `log-tail` are functions of values.
 */
export { printLooks } from "./print.ts";
export { runTop } from "./session.ts";
