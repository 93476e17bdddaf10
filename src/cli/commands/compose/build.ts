import { HavreError } from "../../../base/mod.ts";
import { planBuilds, type Service, selectServices } from "../../../compose/mod.ts";
import { quietFlag } from "../../args/common.ts";
import { list, text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { callCommand } from "./call.ts";
import { projectFlags } from "./flags.ts";
import { runImageSteps } from "./image-steps.ts";
import { projectOf } from "./project.ts";
import { command as push } from "./push.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Build or rebuild a project's images",
  examples: [
    ["compose build --pull web", "One service's, on the newest base"],
    ["compose build --build-arg VERSION=2", "With an argument of the build"],
  ],
  flags: {
    ...projectFlags,
    "build-arg": list("Set build-time variables for services"),
    builder: text("Accepted, and of no effect", { hidden: true }),
    memory: text("Accepted, and of no effect", { short: "m", hidden: true }),
    "no-cache": toggle("Do not use cache when building the image"),
    pull: toggle("Always attempt to pull a newer version of the image"),
    push: toggle("Push service images"),
    quiet: quietFlag("Don't print anything to STDOUT"),
    ssh: list(
      "Set SSH authentications used when building service images. (use 'default' for using your default SSH Agent)",
    ),
    "with-dependencies": toggle("Also build dependencies (transitively)"),
  },
  min: 0,
  async run({ context, flags, args }) {
    const loaded = selectServices(
      await projectOf(context, flags),
      args,
      flags["with-dependencies"] || args.length === 0,
    );
    const extra = Object.fromEntries(
      flags["build-arg"].map((word) => {
        const [, name = word, value = process.env[word] ?? ""] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
        return [name, value];
      }),
    );
    const services = Object.entries(loaded.services).map(([name, service]): [string, Service] => {
      const { build } = service;
      if (!build) return [name, service];
      const changed = { ...build, args: { ...build.args, ...extra } };
      return [
        name,
        {
          ...service,
          build: {
            ...changed,
            ...(flags["no-cache"] ? { no_cache: true } : {}),
            ...(flags.pull ? { pull: true } : {}),
          },
        },
      ];
    });
    const project = { ...loaded, services: Object.fromEntries(services) };
    const plan = planBuilds(project);
    if (plan.length === 0 && args.length > 0) throw new HavreError("invalid-argument", "No services to build");
    await runImageSteps(context, flags.quiet ? { ...flags, progress: "quiet" } : flags, project, plan, {
      missingOnly: false,
      wishes: { ssh: flags.ssh, allPlatforms: true },
    });
    if (flags.push) return callCommand(push, context, args, { ...flags });
    return 0;
  },
});
