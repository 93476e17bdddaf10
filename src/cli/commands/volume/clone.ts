import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { cloneVolume } from "./cloning.ts";

export const command = defineCommand({
  usage: "[OPTIONS] VOLUME NEW",
  summary: "Make a new volume with the same content",
  detail:
    "It shares its content with the original where the file system can (btrfs, xfs and others), and is a copy elsewhere.",
  examples: [["volume clone data experiment", "Change one, and the other stays"]],
  flags: { pause: toggle("Pause the containers that have the volume meanwhile") },
  min: 2,
  max: 2,
  run({ context, flags, args: [volume = "", target = ""] }) {
    return cloneVolume(context, { volume, target, pause: flags.pause, frozen: false });
  },
});
