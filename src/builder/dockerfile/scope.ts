import { HavreError } from "../../base/mod.ts";
import type { Platform } from "../../spec/mod.ts";
import type { Command, Dockerfile } from "./commands.ts";
import { DockerfileError } from "./errors.ts";
import { expandCommand } from "./expand-command.ts";
import { placeOf } from "./places.ts";
import type { Instruction } from "./tree.ts";
import { expandWord, type WordOptions } from "./words.ts";

/** What a build is told from outside, as far as the language sees it. */
export interface BuildArguments {
  /** `--build-arg`. */
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Of the machine that builds. */
  readonly buildPlatform: Platform;
  /** Of the image to make. */
  readonly targetPlatform: Platform;
  /** `--target`, a stage's name or index. */
  readonly target?: string;
}

/** Arguments with a meaning for the builder; they are no variables of the processes. */
const NOT_IN_ENVIRONMENT = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];
/** Passed to every `RUN` when given, without `ARG`, and no part of any cache key. */
const PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

/** `linux/arm64/v8`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter(Boolean).join("/");
}

/** The arguments every build has (Dockerfile reference, § Automatic platform ARGs in the global scope). */
export function predefinedArgs({ buildArgs, ...told }: BuildArguments, stage: string): Map<string, string> {
  const { buildPlatform: build, targetPlatform: target } = told;
  const values = {
    BUILDPLATFORM: formatPlatform(build),
    BUILDOS: build.os,
    BUILDOSVERSION: build["os.version"] ?? "",
    BUILDARCH: build.architecture,
    BUILDVARIANT: build.variant ?? "",
    TARGETPLATFORM: formatPlatform(target),
    TARGETOS: target.os,
    TARGETOSVERSION: target["os.version"] ?? "",
    TARGETARCH: target.architecture,
    TARGETVARIANT: target.variant ?? "",
    TARGETSTAGE: stage || "default",
  };
  return new Map(Object.entries(values).map(([name, value]) => [name, buildArgs.get(name) ?? value]));
}

/** What `ARG` before the first `FROM` defines, the predefined ones included: the scope of the `FROM` lines. */
export function globalArgs(dockerfile: Dockerfile, told: BuildArguments): ReadonlyMap<string, string> {
  const stage = told.target ?? dockerfile.stages.at(-1)?.name ?? "";
  const values = predefinedArgs(told, stage);
  for (const { args, source } of dockerfile.globalArgs) {
    for (const { key, value } of args) {
      const given = told.buildArgs.get(key);
      if (given !== undefined) values.set(key, given);
      else if (value !== undefined) {
        values.set(key, expandAt(source, value, values, { escape: dockerfile.directives.escape }));
      }
    }
  }
  return values;
}

/** Like `expandWord`, but a complaint has the word's place. */
export function expandAt(
  source: Instruction,
  word: string,
  values: ReadonlyMap<string, string>,
  options: WordOptions,
  onUnset: (name: string) => void = () => {},
): string {
  try {
    const { text, unmatched } = expandWord(word, values, options);
    for (const name of unmatched) onUnset(name);
    return text;
  } catch (error) {
    if (!(error instanceof HavreError)) throw error;
    throw new DockerfileError(error.message, source.file, placeOf(source, word));
  }
}

/**
 * The variables of a stage while its commands are gone through in order: the base image's environment, then what `ENV` and `ARG`
 * set, the later one winning.
 */
export class StageScope {
  readonly #globals: ReadonlyMap<string, string>;
  readonly #buildArgs: ReadonlyMap<string, string>;
  readonly #escape: string;
  readonly #values: Map<string, string>;
  readonly #args: Map<string, string>;

  private constructor(
    globals: ReadonlyMap<string, string>,
    buildArgs: ReadonlyMap<string, string>,
    escapeSign: string,
    values: Map<string, string>,
    args: Map<string, string>,
  ) {
    this.#globals = globals;
    this.#buildArgs = buildArgs;
    this.#escape = escapeSign;
    this.#values = values;
    this.#args = args;
  }

  /** The scope of a stage on an image, whose configuration has `environment`. */
  static onImage(
    dockerfile: Dockerfile,
    globals: ReadonlyMap<string, string>,
    buildArgs: ReadonlyMap<string, string>,
    environment: readonly string[],
  ): StageScope {
    const values = environment.map((entry): [string, string] => {
      const equals = entry.indexOf("=");
      return equals < 0 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
    });
    return new StageScope(globals, buildArgs, dockerfile.directives.escape, new Map(values), new Map());
  }

  /** The scope of a stage on this one: it goes on with its arguments, too. */
  derive(): StageScope {
    return new StageScope(this.#globals, this.#buildArgs, this.#escape, new Map(this.#values), new Map(this.#args));
  }

  /**
   * The command with variables put in: words are what they mean then, mounts are read, ports are `80/tcp`, arguments have their
   * values. What it defines holds for those that follow. `invalid-argument` (a `DockerfileError`) with BuildKit's texts.
   * `onUnset` is told of variables without a value.
   */
  apply<C extends Command>(command: C, onUnset: (name: string) => void = () => {}): C {
    const expand = (word: string, options: Partial<WordOptions> = {}) =>
      expandAt(command.source, word, this.#values, { escape: this.#escape, ...options }, (name) => {
        if (!this.#args.has(name) && !NOT_IN_ENVIRONMENT.includes(name)) onUnset(name);
      });
    const expanded: Command = expandCommand(command, expand, (key, value) => this.#define(key, value, expand));
    if (expanded.kind === "env") for (const { key, value } of expanded.pairs) this.#values.set(key, value);
    return expanded as C;
  }

  /** `NAME=value` of everything a process of this stage sees. */
  get environment(): readonly string[] {
    return [...this.#values].map(([name, value]) => `${name}=${value}`);
  }

  /** The arguments declared so far with the values they have now: what an image's history says of a `RUN`. */
  get arguments(): readonly (readonly [name: string, value: string])[] {
    return [...this.#args].map(([name, value]) => [name, this.#values.get(name) ?? value]);
  }

  /** Proxies from the build arguments, each in both cases. */
  get proxies(): readonly string[] {
    return PROXIES.flatMap((name) => {
      const lower = name.toLowerCase();
      const value = this.#buildArgs.get(name) ?? this.#buildArgs.get(lower);
      return value === undefined ? [] : [`${name}=${value}`, `${lower}=${value}`];
    });
  }

  /** A build argument wins over a default, a default over a global argument of the name. */
  #define(key: string, fallback: string | undefined, expand: (word: string) => string): string | undefined {
    const given = this.#buildArgs.get(key);
    const value = given ?? (fallback === undefined ? this.#globals.get(key) : expand(fallback));
    this.#args.set(key, value ?? "");
    if (value !== undefined && !NOT_IN_ENVIRONMENT.includes(key)) this.#values.set(key, value);
    return value;
  }
}
