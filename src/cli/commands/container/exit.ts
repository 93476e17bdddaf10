import { isHavreError } from "../../../base/mod.ts";
import type { Context } from "../../context.ts";
import type { WaitAnswer } from "../../types.ts";

const EXIT_UNKNOWN = 125;

/** The exit code a wait brought. */
export async function exitOf(context: Context, answer: Promise<string>): Promise<number> {
  try {
    const { StatusCode, Error: failure } = JSON.parse(await answer) as WaitAnswer;
    if (!failure?.Message) return StatusCode;
    context.err.line(`Error waiting for container: ${failure.Message}`);
  } catch (error) {
    if (!isHavreError(error) && !(error instanceof SyntaxError)) throw error;
    context.err.line(`error waiting for container: ${error.message}`);
  }
  return EXIT_UNKNOWN;
}
