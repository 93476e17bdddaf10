import { HavreError } from "../../../base/mod.ts";
import { text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import {
  containerLookup,
  imageLookup,
  inspectAll,
  inspectFlags,
  type Lookup,
  networkLookup,
  sizeFlag,
  volumeLookup,
} from "../inspect.ts";

export const command = defineCommand({
  usage: "[OPTIONS] NAME|ID [NAME|ID...]",
  summary: "Return low-level information on containers, images and volumes",
  examples: [
    ["inspect web", "Everything, as JSON"],
    ["inspect -f '{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}' web", "Labels in one line"],
    ["inspect --type image debian", "When a container has the same name"],
  ],
  flags: { ...inspectFlags, size: sizeFlag, type: text("Return JSON for specified type") },
  min: 1,
  run({ context, flags, args }) {
    const kinds: Record<string, Lookup> = {
      container: containerLookup(flags.size),
      image: imageLookup,
      volume: volumeLookup,
      network: networkLookup,
    };
    const chosen = kinds[flags.type];
    if (flags.type !== "" && !chosen)
      throw new HavreError("invalid-argument", `"${flags.type}" is not a valid value for --type`, {
        hint: `Choose one of ${Object.keys(kinds).join(", ")}`,
      });
    return inspectAll(context, args, flags.format, chosen ?? anyOf(Object.values(kinds)));
  },
});

function anyOf(lookups: readonly Lookup[]): Lookup {
  return async (client, name) => {
    for (const lookup of lookups) {
      const json = await lookup(client, name);
      if (typeof json === "string") return json;
    }
    return new HavreError("not-found", `Error: No such object: ${name}`);
  };
}
