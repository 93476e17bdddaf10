import { HavreError, isHavreError } from "../../../base/mod.ts";
import { imageOf, selectServices } from "../../../compose/mod.ts";
import { quietFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { command as imagePush } from "../image/push.ts";
import { callCommand } from "./call.ts";
import { projectFlags } from "./flags.ts";
import { projectOf } from "./project.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Push a project's images that are built here",
  examples: [["compose push web", "One service's"]],
  flags: {
    ...projectFlags,
    "ignore-push-failures": toggle("Push what it can and ignores images with push failures"),
    "include-deps": toggle("Also push images of services declared as dependencies"),
    quiet: quietFlag("Push without printing progress information"),
  },
  min: 0,
  async run({ context, flags, args }) {
    const project = selectServices(await projectOf(context, flags), args, flags["include-deps"] || args.length === 0);
    const built = Object.entries(project.services).filter(([, { build, image }]) => build && image);
    for (const image of new Set(built.map(([name, service]) => imageOf(project, name, service)))) {
      try {
        await callCommand(imagePush, context, [image], { quiet: flags.quiet });
      } catch (error) {
        if (!flags["ignore-push-failures"] || !isHavreError(error)) throw error;
        context.err.line(`WARN ${error.message}`);
      }
    }
    if (built.length === 0) throw new HavreError("not-found", "No service has both an image's name and a build");
    return 0;
  },
});
