import { HavreError } from "../../../base/mod.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { callCommand } from "./call.ts";
import { projectFlags } from "./flags.ts";
import { command as up } from "./up.ts";
import { scaleFlag } from "./up-flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] SERVICE=NUMBER...",
  summary: "Run as many containers of services as said",
  examples: [["compose scale worker=3", "Three workers"]],
  flags: { ...projectFlags, "no-deps": toggle("Don't start linked services") },
  min: 1,
  run: ({ context, flags, args }) => {
    const scale = args.reduce((sofar, word) => {
      if (!/^[^=]+=\d+$/.test(word)) throw new HavreError("invalid-argument", `${word}: must be SERVICE=NUMBER`);
      return scaleFlag.set(word, sofar);
    }, scaleFlag.initial);
    return callCommand(up, context, Object.keys(scale), { ...flags, scale, detach: true, "no-recreate": true });
  },
});
