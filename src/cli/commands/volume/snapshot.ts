import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { cloneVolume } from "./cloning.ts";

export const command = defineCommand({
  usage: "[OPTIONS] VOLUME [SNAPSHOT]",
  summary: "Keep what is in a volume now",
  detail:
    "A snapshot is a volume that containers may only read. It shares its content with the original where the file system can (btrfs, xfs and others), and is a copy elsewhere.",
  examples: [["volume snapshot --pause db db-before", "As it is between two instructions of its containers"]],
  flags: { pause: toggle("Pause the containers that have the volume meanwhile") },
  min: 1,
  max: 2,
  run({
    context,
    flags,
    args: [volume = "", target = `${volume}-${new Date().toISOString().replace(/[-:]|\..*/g, "")}`],
  }) {
    return cloneVolume(context, { volume, target, pause: flags.pause, frozen: true });
  },
});
