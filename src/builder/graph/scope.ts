import type { Platform } from "../../spec/mod.ts";
import type { ArgCommand } from "../dockerfile/mod.ts";
import { expandWord, type Variables } from "../dockerfile/mod.ts";

/** Arguments that `RUN` may use without an `ARG`; they are in no cache key and no history. */
export const PROXY_ARGS: readonly string[] = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "FTP_PROXY",
  "NO_PROXY",
  "ALL_PROXY",
].flatMap((name) => [name, name.toLowerCase()]);

/** Arguments every Dockerfile has before its first `FROM` (Dockerfile reference, § Automatic platform ARGs). */
export function platformArgs(target: Platform, build: Platform, stage: string): ReadonlyMap<string, string> {
  const text = ({ os, architecture, variant }: Platform) => [os, architecture, ...(variant ? [variant] : [])].join("/");
  return new Map([
    ["BUILDPLATFORM", text(build)],
    ["BUILDOS", build.os],
    ["BUILDOSVERSION", build["os.version"] ?? ""],
    ["BUILDARCH", build.architecture],
    ["BUILDVARIANT", build.variant ?? ""],
    ["TARGETPLATFORM", text(target)],
    ["TARGETOS", target.os],
    ["TARGETOSVERSION", target["os.version"] ?? ""],
    ["TARGETARCH", target.architecture],
    ["TARGETVARIANT", target.variant ?? ""],
    ["TARGETSTAGE", stage],
  ]);
}

/** What `ARG` before the first `FROM` come to: the build's arguments win over defaults. */
export function globalScope(
  commands: readonly ArgCommand[],
  automatic: ReadonlyMap<string, string>,
  given: Readonly<Record<string, string>>,
  escapeSign: string,
): ReadonlyMap<string, string> {
  const values = new Map(automatic);
  for (const [key, value] of Object.entries(given)) if (values.has(key)) values.set(key, value);
  for (const { args } of commands) {
    for (const { key, value } of args) {
      const over = given[key];
      if (over !== undefined) values.set(key, over);
      else if (value !== undefined) values.set(key, expandWord(value, values, { escape: escapeSign }).text);
    }
  }
  return values;
}

/** Variables of a stage as they grow from instruction to instruction. What `ENV` says wins over `ARG`. */
export class StageScope implements Variables {
  readonly #env: Map<string, string>;
  /** In the order in which they were declared; undefined: without a value. */
  readonly #args: Map<string, string | undefined>;

  constructor(env: readonly string[], args: ReadonlyMap<string, string | undefined> = new Map()) {
    this.#env = new Map(env.map(pair));
    this.#args = new Map(args);
  }

  get(name: string): string | undefined {
    return this.#env.get(name) ?? this.#args.get(name);
  }

  setEnv(key: string, value: string): void {
    this.#env.set(key, value);
  }

  setArg(key: string, value: string | undefined): void {
    this.#args.set(key, value);
  }

  get args(): ReadonlyMap<string, string | undefined> {
    return this.#args;
  }

  env(): readonly string[] {
    return [...this.#env].map(([key, value]) => `${key}=${value}`);
  }

  /** Arguments that have a value and are no variable of the image: what `RUN` has beside those. */
  runArgs(): readonly string[] {
    return [...this.#args].flatMap(([key, value]) =>
      value === undefined || this.#env.has(key) ? [] : [`${key}=${value}`],
    );
  }
}

function pair(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
