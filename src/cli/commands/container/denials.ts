import type { Context } from "../../context.ts";
import type { Output } from "../../output/output.ts";
import { type CreateBody, PROFILE_LABEL } from "./options/request.ts";

const DENIED = /read-only file ?system|permission denied|operation not permitted|EROFS|EACCES|EPERM/i;
/** Enough of what went before for words that are cut between two writes. */
const OVERLAP = 32;

/** Looks at what a container says to somebody at a terminal, to tell them afterwards where the reasons are. */
export interface DenialWatch {
  readonly context: Context;
  /** One line, when the container failed and spoke of a refusal. */
  tell(exitCode: number): void;
}

export function watchDenials(context: Context, { Labels, HostConfig }: CreateBody, name: string): DenialWatch {
  if (!context.err.isTerminal || Labels[PROFILE_LABEL] !== "hardened") return { context, tell: () => {} };
  let denied = false;
  const watched = (output: Output): Output => {
    let last = "";
    return {
      get isTerminal() {
        return output.isTerminal;
      },
      line: output.line,
      write: (data) => {
        output.write(data);
        if (denied) return;
        const text = last + (typeof data === "string" ? data : Buffer.from(data).toString());
        denied = DENIED.test(text);
        last = text.slice(-OVERLAP);
      },
    };
  };
  return {
    context: { ...context, out: watched(context.out), err: watched(context.err) },
    tell: (exitCode) => {
      if (exitCode === 0 || !denied) return;
      const where = HostConfig.AutoRemove
        ? "run it without --rm, and 'havre why NAME' tells what it was denied"
        : `havre why ${name || "$(havre ps -lq)"} tells what it was denied`;
      context.err.line(`\x1b[2mUnder the hardened profile: ${where}; --profile docker runs it as Docker does\x1b[0m`);
    },
  };
}
