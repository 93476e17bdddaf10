import { isHavreError } from "../../../base/mod.ts";
import { defineCommand } from "../../command.ts";
import { checkPullOption, createContainer, creationFlags, reportCreation } from "./creation.ts";
import { createRequest } from "./options/request.ts";

const EXIT_REFUSED = 125;

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  summary: "Create a new container",
  examples: [
    ["create --name job debian:12 make all", "To be started later"],
    ["create -it --name sh busybox", "Then: havre start -ai sh"],
  ],
  flags: creationFlags,
  min: 1,
  interspersed: false,
  async run({ context, flags, changed, args }) {
    let body: ReturnType<typeof createRequest>;
    try {
      checkPullOption(flags.pull);
      body = createRequest(flags, changed, args);
    } catch (error) {
      if (!isHavreError(error)) throw error;
      reportCreation(context, error, true);
      return EXIT_REFUSED;
    }
    context.out.line(await createContainer(context, body, flags));
    return 0;
  },
});
