import { isHavreError } from "../../../base/mod.ts";
import { imageOf, type Plan, selectServices } from "../../../compose/mod.ts";
import { quietFlag } from "../../args/common.ts";
import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { projectFlags } from "./flags.ts";
import { runImageSteps } from "./image-steps.ts";
import { projectOf } from "./project.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Pull a project's images",
  examples: [["compose pull", "Those of all services that are not built"]],
  flags: {
    ...projectFlags,
    "ignore-buildable": toggle("Ignore images that can be built"),
    "ignore-pull-failures": toggle("Pull what it can and ignores images with pull failures"),
    "include-deps": toggle("Also pull services declared as dependencies"),
    policy: text('Apply pull policy ("missing"|"always")'),
    quiet: quietFlag("Pull without printing progress information"),
  },
  min: 0,
  async run({ context, flags, args }) {
    const project = selectServices(await projectOf(context, flags), args, flags["include-deps"] || args.length === 0);
    const plan = new Map<string, Plan[number]>();
    for (const [name, service] of Object.entries(project.services)) {
      // What is made here is nowhere to be fetched, unless it has a name of its own.
      if (service.provider || (service.build && (flags["ignore-buildable"] || !service.image))) continue;
      if (service.pull_policy === "never" || service.pull_policy === "build") continue;
      const image = imageOf(project, name, service);
      plan.set(image, { id: `image:${image}`, step: { kind: "pull-image", image, service: name }, after: [] });
    }
    try {
      await runImageSteps(context, flags, project, [...plan.values()], { missingOnly: flags.policy === "missing" });
    } catch (error) {
      if (!flags["ignore-pull-failures"] || !isHavreError(error)) throw error;
      context.err.line(`WARN ${error.message}`);
    }
    return 0;
  },
});
