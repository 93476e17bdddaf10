import { type FSWatcher, lstatSync, statSync, watch } from "node:fs";
import { dirname, join } from "node:path";
import { HavreError, isHavreError } from "../../../base/mod.ts";
import { type ContainerState, isRunning, type Project, selectServices } from "../../../compose/mod.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import type { Context } from "../../context.ts";
import { writeTar } from "../container/copy/tar-writer.ts";
import { callCommand } from "./call.ts";
import { ClientEngine } from "./engine.ts";
import { type ProjectFlags, projectFlags } from "./flags.ts";
import { projectOf } from "./project.ts";
import { containersOf } from "./targets.ts";
import { command as up } from "./up.ts";
import { type Reaction, reactions, type WatchRule, watchRules } from "./watch-rules.ts";

/** Editors write a file in several steps: changes so close together are one. */
const SETTLE_MS = 100;

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Watch build context for service and rebuild/refresh containers when files are updated",
  examples: [["watch", "By the rules of develop.watch, until Ctrl+C"]],
  flags: {
    ...projectFlags,
    "no-up": toggle("Do not build & start services before watching"),
    prune: toggle("Accepted, and of no effect", { hidden: true }),
    quiet: toggle("hide build output"),
  },
  min: 0,
  async run({ context, flags, args }): Promise<number> {
    const project = selectServices(await projectOf(context, flags), args, false);
    const rules = rulesOf(project);
    if (!flags["no-up"]) {
      const code = await callCommand(up, context, args, { ...flags, detach: true });
      if (code !== 0) return code;
    }
    await using _watch = await startWatch(context, flags, project, rules);
    await new Promise<void>((resolve) => {
      process.once("SIGINT", resolve);
      process.once("SIGTERM", resolve);
    });
    return 0;
  },
});

/** `failed-precondition` when there are none. */
function rulesOf(project: Project): WatchRule[] {
  const rules = Object.entries(project.services).flatMap(([name, service]) => watchRules(name, service));
  if (rules.length > 0) return rules;
  throw new HavreError(
    "failed-precondition",
    "none of the selected services is configured for watch, consider setting an 'develop' section",
  );
}

/** Acts on changes until it is disposed of; what has begun is finished then. */
export async function startWatch(
  context: Context,
  flags: ProjectFlags & { readonly quiet?: boolean },
  project: Project,
  rules: readonly WatchRule[] = rulesOf(project),
): Promise<AsyncDisposable> {
  const started = new Watch(context, flags, project, rules);
  started.open(new ClientEngine(await context.client()));
  return started;
}

class Watch implements AsyncDisposable {
  readonly #changed = new Set<string>();
  readonly #watchers: FSWatcher[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What is being done; what changes meanwhile is done after it. */
  #work: Promise<void> = Promise.resolve();

  constructor(
    readonly context: Context,
    readonly flags: ProjectFlags & { readonly quiet?: boolean },
    readonly project: Project,
    readonly rules: readonly WatchRule[],
  ) {}

  open(engine: ClientEngine): void {
    for (const path of new Set(this.rules.map((rule) => rule.path))) this.#open(path, engine);
    for (const rule of this.rules) if (rule.trigger.initial_sync) this.#add(rule.path, engine);
    this.context.err.line("Watch enabled");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const watcher of this.#watchers) watcher.close();
    clearTimeout(this.#timer);
    await this.#work;
  }

  #open(path: string, engine: ClientEngine): void {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) throw new HavreError("not-found", `watch: ${path} does not exist`);
    // A file is often replaced by another of its name: its folder tells.
    const folder = found.isDirectory() ? path : dirname(path);
    const watcher = watch(folder, { recursive: found.isDirectory() }, (_event, name) => {
      if (name !== null) this.#add(join(folder, String(name)), engine);
    });
    watcher.on("error", (error) => this.context.err.line(`WARN watching ${path}: ${error.message}`));
    this.#watchers.push(watcher);
  }

  #add(path: string, engine: ClientEngine): void {
    this.#changed.add(path);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const changed = [...this.#changed];
      this.#changed.clear();
      this.#work = this.#work.then(() => this.#react(engine, changed));
    }, SETTLE_MS);
  }

  async #react(engine: ClientEngine, changed: readonly string[]): Promise<void> {
    for (const reaction of reactions(this.rules, changed)) {
      try {
        await this.#do(engine, reaction);
      } catch (error) {
        // The next change may put it right.
        if (!isHavreError(error)) throw error;
        this.context.err.line(`${reaction.service}: ${error.message}`);
      }
    }
  }

  async #do(engine: ClientEngine, { service, syncs, follow, exec }: Reaction): Promise<void> {
    const { err } = this.context;
    if (follow === "rebuild") {
      err.line(`Rebuilding service "${service}" after changes were detected...`);
      const quiet = this.flags.quiet ? { progress: "quiet" } : {};
      await callCommand(up, this.context, [service], {
        ...this.flags,
        ...quiet,
        detach: true,
        build: true,
        "no-deps": true,
      });
      return;
    }
    const containers = containersOf([service], this.project, await engine.containers(this.project.name)).filter(
      isRunning,
    );
    for (const { from, to } of syncs) for (const container of containers) await sync(engine, container, from, to);
    if (syncs.length > 0) err.line(`Syncing service "${service}" after ${syncs.length} changes were detected`);
    for (const { id, name } of containers) {
      if (follow === "restart") {
        await engine.changeContainer(id, "restart", {});
        err.line(`Service "${service}" restarted`);
      } else if (follow === "exec" && exec) {
        const { exitCode, output } = await engine.exec(id, exec);
        if (exitCode !== 0)
          err.line(`${name}: ${(exec.command ?? []).join(" ")} exited with status ${exitCode}: ${output.trim()}`);
      }
    }
  }
}

/** Carries a file or folder as it is now, or takes it away where it is gone. */
async function sync(engine: ClientEngine, { id }: ContainerState, from: string, to: string): Promise<void> {
  if (!lstatSync(from, { throwIfNoEntry: false })) {
    await engine.exec(id, { command: ["rm", "-rf", to] });
    return;
  }
  await engine.client.run("PUT", `/containers/${id}/archive`, {
    query: { path: "/" },
    body: writeTar(from, to.replace(/^\/+/, "")),
    contentType: "application/x-tar",
  });
}
