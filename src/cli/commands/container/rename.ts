import { HavreError, isHavreError } from "../../../base/mod.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  usage: "CONTAINER NEW_NAME",
  summary: "Rename a container",
  examples: [["rename web web-old", "Make room for a new one"]],
  flags: {},
  min: 2,
  max: 2,
  async run({ context, args: [from = "", to = ""] }) {
    if (from.trim() === "" || to.trim() === "")
      throw new HavreError("invalid-argument", "Error: Neither old nor new names may be empty");
    const client = await context.client();
    try {
      await client.run("POST", `/containers/${from.trim()}/rename`, { query: { name: to.trim() } });
      return 0;
    } catch (error) {
      if (isHavreError(error)) context.err.line(error.message);
      throw new HavreError("failed-precondition", `Error: failed to rename container named ${from.trim()}`, {
        cause: error,
      });
    }
  },
});
