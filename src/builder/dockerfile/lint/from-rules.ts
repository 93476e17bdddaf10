import { type Platform, parseReference } from "../../../spec/mod.ts";
import type { Dockerfile, Stage } from "../commands.ts";
import { globalArgs } from "../scope.ts";
import { didYouMean } from "../suggest.ts";
import { expandWord } from "../words.ts";
import type { Reporter } from "./reporter.ts";

/** What a build is told, as far as `FROM` sees it. */
export interface FromOptions {
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
}

/** The rules about bases and platforms. */
export function lintFroms(
  dockerfile: Dockerfile,
  globals: ReadonlyMap<string, string>,
  options: FromOptions,
  reporter: Reporter,
) {
  const defaults = globalArgs(dockerfile, { ...options, buildArgs: new Map() });
  const declared = [...globals.keys(), ...dockerfile.globalArgs.flatMap(({ args }) => args.map(({ key }) => key))];
  const sign = { escape: dockerfile.directives.escape };
  for (const stage of dockerfile.stages) {
    const { source, base, platform } = stage;
    const place = source.arguments[0]?.range;
    const words = [base, ...(platform === undefined ? [] : [platform])];
    for (const name of new Set(words.flatMap((word) => [...expandWord(word, globals, sign).unmatched]))) {
      if (declared.includes(name)) continue;
      const message = `FROM argument '${name}' is not declared${didYouMean(name, declared)}`;
      reporter.warn("UndefinedArgInFrom", source, message);
    }
    if (!isReference(expandWord(base, defaults, sign).text)) {
      const message = `Default value for ARG ${base} results in empty or invalid base image name`;
      reporter.warn("InvalidDefaultArgInFrom", source, message, place);
    }
    if (platform !== undefined) lintPlatform(stage, platform, globals, sign, reporter);
  }
}

function lintPlatform(
  { name = "", source }: Stage,
  platform: string,
  globals: ReadonlyMap<string, string>,
  sign: { readonly escape: string },
  reporter: Reporter,
): void {
  const { text, matched, unmatched } = expandWord(platform, globals, sign);
  const range = source.flags[0]?.range;
  if (matched.size === 1 && unmatched.size === 0 && matched.has("TARGETPLATFORM")) {
    if (text !== globals.get("TARGETPLATFORM")) return;
    const message = `Setting platform to predefined ${platform} in FROM is redundant as this is the default behavior`;
    reporter.warn("RedundantTargetPlatform", source, message, range);
  }
  if (matched.size + unmatched.size > 0) return;
  // A stage that is named for its platform means it.
  const parts = text.toLowerCase().split("/");
  if (parts.slice(0, 2).some((part) => name.includes(part))) return;
  const message = `FROM --platform flag should not use constant value ${JSON.stringify(text)}`;
  reporter.warn("FromPlatformFlagConstDisallowed", source, message, range);
}

function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch {
    return false;
  }
}
