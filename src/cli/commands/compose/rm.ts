import { isOneOff, isRunning, planDown, planRemove, serviceOf } from "../../../compose/mod.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { confirm } from "../confirm.ts";
import { act } from "./act.ts";
import { longProjectFlags } from "./flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Remove a project's stopped containers",
  examples: [["compose rm -sf web", "Stop and remove those of one service, without asking"]],
  flags: {
    ...longProjectFlags,
    force: toggle("Don't ask to confirm removal", { short: "f" }),
    stop: toggle("Stop the containers, if required, before removing", { short: "s" }),
    volumes: toggle("Remove any anonymous volumes attached to containers", { short: "v" }),
  },
  min: 0,
  run: ({ context, flags, args }) =>
    act(context, flags, {
      services: args,
      nothing: "No stopped containers",
      plan: async (chosen, all) => {
        const oneOffs = all.filter((one) => isOneOff(one) && (args.length === 0 || args.includes(serviceOf(one))));
        const targets = [...chosen, ...oneOffs].filter((one) => flags.stop || !isRunning(one));
        if (targets.length === 0) return [];
        const names = targets.map(({ name }) => name).join(", ");
        if (!flags.force && !(await confirm(context, `Going to remove ${names}`))) return [];
        if (!flags.stop) return planRemove(targets, flags.volumes);
        return planDown({ containers: targets, networks: [], volumes: [], images: [], anonymous: flags.volumes });
      },
    }),
});
