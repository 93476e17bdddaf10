import { existsSync, readFileSync } from "node:fs";
import { join, posix, relative } from "node:path";
import type { Service } from "../../../compose/mod.ts";
import { IgnoreMatcher, readIgnoreFile } from "../../../spec/mod.ts";

type Trigger = NonNullable<NonNullable<Service["develop"]>["watch"]>[number];

/** One rule of `develop.watch`, ready to be asked. */
export interface WatchRule {
  readonly service: string;
  readonly trigger: Trigger;
  /** Absolute folder or file that is watched. */
  readonly path: string;
  /** Whether a change of this path is the rule's. */
  readonly concerns: (path: string) => boolean;
  /** Where a path is in the container; undefined for a rule that syncs nothing. */
  readonly targetOf: (path: string) => string | undefined;
}

/** What editors and version control do for themselves. */
const NOISE = [".git", "**/.git", "**/.*.swp", "**/*~", "**/.#*", "**/4913", "**/.DS_Store"];

/** The rules of a service. What its build's `.dockerignore` leaves out is not watched either. */
export function watchRules(service: string, { develop, build }: Service): WatchRule[] {
  const ignored = build?.context === undefined ? [] : ignoreFile(build.context);
  return (develop?.watch ?? []).map((trigger): WatchRule => {
    const { path = "", target, action = "" } = trigger;
    const own = new IgnoreMatcher([...NOISE, ...(trigger.ignore ?? [])]);
    const wanted = trigger.include?.length ? new IgnoreMatcher(trigger.include) : undefined;
    const context = new IgnoreMatcher(ignored);
    const concerns = (changed: string): boolean => {
      const inside = relative(path, changed);
      if (inside.startsWith("..")) return false;
      if (inside === "") return true;
      const inContext = build?.context === undefined ? ".." : relative(build.context, changed);
      if (own.ignores(inside) || (!inContext.startsWith("..") && context.ignores(inContext))) return false;
      return wanted?.ignores(inside) ?? true;
    };
    const targetOf = (changed: string): string | undefined => {
      if (target === undefined || !action.startsWith("sync")) return undefined;
      return posix.join(target, relative(path, changed));
    };
    return { service, trigger, path, concerns, targetOf };
  });
}

function ignoreFile(context: string): readonly string[] {
  const path = join(context, ".dockerignore");
  return existsSync(path) ? readIgnoreFile(readFileSync(path, "utf8")) : [];
}

/** What changed paths ask for, by service: files to carry, and what is to follow. */
export interface Reaction {
  readonly service: string;
  readonly syncs: readonly { readonly from: string; readonly to: string }[];
  /** A rebuild carries everything: nothing else is left to do. */
  readonly follow: "nothing" | "rebuild" | "restart" | "exec";
  readonly exec?: NonNullable<Trigger["exec"]>;
}

export function reactions(rules: readonly WatchRule[], changed: readonly string[]): Reaction[] {
  const services = [...new Set(rules.map(({ service }) => service))];
  return services.flatMap((service): Reaction[] => {
    const hits = rules
      .filter((rule) => rule.service === service)
      .flatMap((rule) => changed.filter(rule.concerns).map((path) => ({ rule, path })));
    if (hits.length === 0) return [];
    const actions = new Set(hits.map(({ rule }) => rule.trigger.action));
    if (actions.has("rebuild")) return [{ service, syncs: [], follow: "rebuild" }];
    const syncs = hits.flatMap(({ rule, path }) => {
      const to = rule.targetOf(path);
      return to === undefined ? [] : [{ from: path, to }];
    });
    if (actions.has("restart") || actions.has("sync+restart")) return [{ service, syncs, follow: "restart" }];
    const exec = hits.find(({ rule }) => rule.trigger.action === "sync+exec")?.rule.trigger.exec;
    return [exec ? { service, syncs, follow: "exec", exec } : { service, syncs, follow: "nothing" }];
  });
}
