import { HavreError } from "../../../base/mod.ts";
import { parseGoBoolean } from "../../../spec/mod.ts";

/** Which rules count: what `# check=skip=A,B;error=true;experimental=all` says. */
export interface Check {
  readonly skip: "all" | readonly string[];
  readonly experimental: "all" | readonly string[];
  /** Warnings fail the build. */
  readonly error: boolean;
}

export const NO_CHECK: Check = { skip: [], experimental: [], error: false };

/** Reads a `check` directive or option. `invalid-argument` with BuildKit's texts. */
export function parseCheck(text: string): Check {
  let check = NO_CHECK;
  for (const part of text.trim() === "" ? [] : text.trim().split(";")) {
    const equals = part.indexOf("=");
    if (equals < 0) throw invalid(`invalid check option ${JSON.stringify(part)}`);
    const key = part.slice(0, equals).trim();
    const value = part.slice(equals + 1).trim();
    if (key === "skip" || key === "experimental") {
      check = { ...check, [key]: value === "all" ? "all" : value.split(",").map((name) => name.trim()) };
    } else if (key === "error") {
      const error = parseGoBoolean(value);
      if (error === undefined) throw invalid(`failed to parse check option ${JSON.stringify(part)}`);
      check = { ...check, error };
    } else throw invalid(`invalid check option ${JSON.stringify(key)}`);
  }
  return check;
}

/** The check with what a comment above an instruction adds for that one. A comment that cannot be read adds nothing. */
export function withComments(check: Check, comments: readonly string[]): Check {
  for (const comment of comments) {
    const [, text] = /^check\s*=\s*(\S+)/i.exec(comment) ?? [];
    if (text === undefined) continue;
    try {
      const own = parseCheck(text);
      return {
        skip: both(check.skip, own.skip),
        experimental: both(check.experimental, own.experimental),
        error: check.error,
      };
    } catch {
      return check;
    }
  }
  return check;
}

function both(one: Check["skip"], other: Check["skip"]): Check["skip"] {
  return one === "all" || other === "all" ? "all" : [...one, ...other];
}

function invalid(message: string): HavreError {
  return new HavreError("invalid-argument", message, {
    hint: "check=skip=RULE,RULE;error=true;experimental=RULE, or all instead of rules",
  });
}
