import { HavreError, isHavreError } from "../../../base/mod.ts";
import {
  bringUp,
  describePlan,
  isRunning,
  noSuchService,
  type Project,
  type Service,
  selectServices,
  type UpRequest,
} from "../../../compose/mod.ts";
import type { Values } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { tellAddresses } from "./addresses.ts";
import { attachProject } from "./attach-project.ts";
import { filesFolder, placeInWords, projectOf } from "./project.ts";
import { openSession, type Session } from "./session.ts";
import { type Scale, upFlags } from "./up-flags.ts";

const EXIT_INTERRUPTED = 130;

export const command = defineCommand({
  usage: "[OPTIONS] [FOLDER|FILE] [SERVICE...]",
  summary: "Create and start a project's containers",
  detail:
    "Makes of what is there what the Compose file asks for: what is as it should be stays, what changed is replaced, what is missing is made, all at once as far as dependencies allow. Cut off at any point, run it again and it goes on.",
  examples: [
    ["up -d", "The project of this folder, in the background"],
    ["up examples/shop", "That of another folder, its output shown until Ctrl+C"],
    ["up --plan -d", "Print the steps, and why, before they are done"],
    ["up -d --wait --scale worker=3", "Three workers, and return when all is healthy"],
  ],
  flags: upFlags,
  min: 0,
  async run({ context, flags: given, args }): Promise<number> {
    checkFlags(given);
    const { flags: placed, services: named } = placeInWords(args, given);
    const flags = { ...given, ...placed };
    const whole = await projectOf(context, flags);
    const project = withScale(selectServices(whole, named, !flags["no-deps"]), flags.scale);
    if (Object.keys(project.services).length === 0 && !flags["no-start"])
      throw new HavreError("failed-precondition", "no service selected", { hint: whyNone(whole) });
    const isDetached = flags.detach || flags.wait || flags["no-start"] || flags["dry-run"];
    await using session = await openSession(context, flags, project);
    const before = isDetached
      ? new Set<string>()
      : new Set((await session.engine.containers(project.name)).filter(isRunning).map(({ id }) => id));
    using _limit = waitLimit(flags["wait-timeout"], session);
    try {
      await bringUp({
        ...requestOf(project, named, flags, session),
        filesFolder: filesFolder(context),
        ...(flags.plan || flags["dry-run"]
          ? {
              onPlan: (plan) =>
                context.out.write(
                  describePlan(plan)
                    .map((line) => `${line}\n`)
                    .join(""),
                ),
            }
          : {}),
      });
      session.stopShowing();
      if (flags.progress !== "quiet" && !flags["no-start"] && !flags["dry-run"])
        await tellAddresses(context, session.engine, project, session.signal);
    } catch (error) {
      if (isHavreError(error, "unavailable") && error.hint === undefined)
        throw new HavreError("unavailable", error.message, {
          cause: error,
          hint: "Run the same command again: it goes on from what is there",
        });
      const stopped = isHavreError(error, "cancelled") || (error instanceof Error && error.name === "AbortError");
      if (!stopped || !session.signal.aborted) throw error;
      session.progress.line("Interrupted. Run the same command again and it goes on from here");
      return EXIT_INTERRUPTED;
    }
    if (isDetached) return 0;
    await session[Symbol.asyncDispose]();
    const { startWatch } = flags.watch ? await import("./watch.ts") : { startWatch: undefined };
    await using _watch = await startWatch?.(context, flags, project);
    const services = Object.keys(project.services);
    return await attachProject(context, session.engine, {
      project,
      services,
      shown: shownServices(project, named, flags),
      coloured: context.out.isTerminal && !flags["no-color"],
      prefixed: !flags["no-log-prefix"],
      timestamps: flags.timestamps,
      aborts: flags["abort-on-container-exit"] || flags["exit-code-from"] !== "",
      exitCodeFrom: flags["exit-code-from"],
      timeout: flags.timeout,
      before,
    });
  },
});

function whyNone({ inactive }: Project): string {
  const profiles = [...new Set(Object.values(inactive).flatMap((service) => service.profiles ?? []))].sort();
  if (profiles.length === 0) return "The file has no services";
  return `All services have profiles, and none is active: --profile ${profiles.join(", --profile ")}`;
}

type UpFlags = Values<typeof upFlags>;

function checkFlags(flags: UpFlags): void {
  const clash = (a: boolean, b: boolean, what: string) => {
    if (a && b) throw new HavreError("invalid-argument", what);
  };
  clash(flags["force-recreate"], flags["no-recreate"], "--force-recreate and --no-recreate are incompatible");
  clash(flags.build, flags["no-build"], "--build and --no-build are incompatible");
  clash(
    flags.detach,
    flags.attach.length > 0 || flags["abort-on-container-exit"] || flags["exit-code-from"] !== "",
    "--detach cannot be combined with --abort-on-container-exit, --exit-code-from or --attach",
  );
}

function requestOf(
  project: Project,
  named: readonly string[],
  flags: UpFlags,
  session: Session,
): Omit<UpRequest, "filesFolder"> {
  const { engine, images: imageMaker, run, warn } = session;
  return {
    ...run,
    project,
    engine,
    imageMaker,
    warn,
    named,
    recreate: flags["force-recreate"] ? "force" : flags["no-recreate"] ? "never" : "diverged",
    recreateDependencies: flags["always-recreate-deps"] ? "force" : flags["no-recreate"] ? "never" : "diverged",
    renewsVolumes: flags["renew-anon-volumes"],
    removesOrphans: flags["remove-orphans"],
    ignoresOrphans: /^(?:1|true)$/i.test(project.environment.get("COMPOSE_IGNORE_ORPHANS") ?? ""),
    starts: !flags["no-start"],
    waits: flags.wait,
    images: {
      build: flags.build ? "always" : flags["no-build"] ? "never" : "missing",
      pull: pullPolicy(flags.pull),
    },
    timeout: flags.timeout,
    dryRun: flags["dry-run"],
  };
}

export function pullPolicy(word: string): "" | "always" | "missing" | "never" {
  if (word === "" || word === "always" || word === "missing" || word === "never") return word;
  throw new HavreError("invalid-argument", `--pull must be always, missing or never, not ${JSON.stringify(word)}`);
}

/** `--scale` goes before the files. */
export function withScale(project: Project, scale: Scale): Project {
  const services: Record<string, Service> = { ...project.services };
  for (const [name, count] of Object.entries(scale)) {
    const service = services[name];
    if (!service) throw noSuchService(name, Object.keys(services));
    if (count > 1 && service.container_name !== undefined)
      throw new HavreError(
        "invalid-argument",
        `service ${name} has a container_name: it can't be scaled, as a container's name must be unique`,
      );
    services[name] = { ...service, scale: count };
  }
  return { ...project, services };
}

/** `--attach` alone; else those that were named, or all, but for those that opt out. */
function shownServices(project: Project, named: readonly string[], flags: UpFlags): string[] {
  const isMeant = (name: string) => named.length === 0 || flags["attach-dependencies"] || named.includes(name);
  return Object.entries(project.services)
    .filter(([name, { attach }]) =>
      flags.attach.length > 0 ? flags.attach.includes(name) : attach !== false && isMeant(name),
    )
    .map(([name]) => name)
    .filter((name) => !flags["no-attach"].includes(name));
}

/** `--wait-timeout`: gives up then. */
function waitLimit(seconds: number, { progress }: Session): Disposable {
  if (seconds <= 0) return { [Symbol.dispose]: () => {} };
  const timer = setTimeout(() => {
    progress.line(`The project was not as wanted after ${seconds} s`);
    process.exit(1);
  }, seconds * 1000);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
