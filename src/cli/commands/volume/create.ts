import { list, text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import type { VolumeView } from "../../types.ts";
import { pairs } from "./pairs.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [VOLUME]",
  summary: "Create a volume",
  detail: "Without a name one is made up. A volume that is there already is left as it is.",
  examples: [
    ["volume create data", "A folder of this host that outlives the containers it is mounted in"],
    ["volume create -o type=tmpfs -o device=tmpfs -o o=size=64m,uid=1000 cache", "In memory"],
    ["volume create -o type=none -o o=bind -o device=/srv/data data", "A folder that exists"],
    ["volume create -o type=nfs -o o=addr=10.0.0.1,rw -o device=:/export shared", "On another host"],
  ],
  flags: {
    driver: text('Specify volume driver name (default "local")', { short: "d" }),
    label: list("Set metadata for a volume"),
    opt: list("Set driver specific options", { short: "o", type: "map" }),
  },
  min: 0,
  max: 1,
  async run({ context, flags, args: [name] }) {
    const client = await context.client();
    const labels = pairs(flags.label);
    const body = {
      Name: name ?? "",
      Driver: flags.driver,
      ...(Object.keys(labels).length > 0 ? { Labels: labels } : {}),
      ...(flags.opt.length > 0 ? { DriverOpts: pairs(flags.opt) } : {}),
    };
    const volume = await client.json<VolumeView>("POST", "/volumes/create", { json: body });
    context.out.line(volume.Name);
    return 0;
  },
});
