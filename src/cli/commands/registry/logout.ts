import { defineCommand } from "../../command.ts";
import { SignIns, serverKey } from "../../credentials/sign-ins.ts";

export const command = defineCommand({
  usage: "[SERVER]",
  summary: "Log out from a registry",
  detail: "Without a server it is Docker Hub.",
  examples: [["logout registry.example:5000", "Forget the password"]],
  flags: {},
  min: 0,
  max: 1,
  async run({ context, args: [server = ""] }) {
    const shown = serverKey(server);
    if (await new SignIns(context.env).erase(server)) context.out.line(`Removing login credentials for ${shown}`);
    else context.out.line(`Not logged in to ${shown}`);
    return 0;
  },
});
