import { HavreError } from "../../../base/mod.ts";
import { integer, list, text, toggle, value } from "../../args/flags.ts";
import { projectFlags, timeoutFlag } from "./flags.ts";

export type Scale = Readonly<Record<string, number>>;

/** `SERVICE=NUMBER`. */
function addScale(word: string, previous: Scale): Scale {
  const [, name, count] = /^([^=]+)=(\d+)$/.exec(word) ?? [];
  if (name === undefined) throw new HavreError("invalid-argument", `must be SERVICE=NUMBER`);
  return { ...previous, [name]: Number(count) };
}

export const scaleFlag = value<Scale>("scale", "Scale SERVICE to NUMBER instances (SERVICE=NUMBER)", {}, addScale);

/** Flags that `up` and `create` share. */
export const creationFlags = {
  ...projectFlags,
  build: toggle("Build images before starting containers"),
  "force-recreate": toggle("Recreate containers even if their configuration and image haven't changed"),
  "no-build": toggle("Don't build an image, even if it's policy"),
  "no-recreate": toggle("If containers already exist, don't recreate them"),
  pull: text('Pull image before running ("always"|"missing"|"never")'),
  "quiet-pull": toggle("Pull without printing progress information"),
  "remove-orphans": toggle("Remove containers for services not defined in the Compose file"),
  scale: scaleFlag,
} as const;

export const upFlags = {
  ...creationFlags,
  "abort-on-container-exit": toggle("Stops all containers if any container was stopped"),
  "always-recreate-deps": toggle("Recreate dependent containers"),
  attach: list("Restrict attaching to the specified services"),
  "attach-dependencies": toggle("Automatically attach to log output of dependent services"),
  detach: toggle("Detached mode: Run containers in the background", { short: "d" }),
  "exit-code-from": text("Return the exit code of the selected service container. Implies --abort-on-container-exit"),
  "no-attach": list("Do not attach (stream logs) to the specified services"),
  "no-color": toggle("Produce monochrome output"),
  "no-deps": toggle("Don't start linked services"),
  "no-log-prefix": toggle("Don't print prefix in logs"),
  "no-start": toggle("Don't start the services after creating them"),
  plan: toggle("Print the steps, and why, before they are done"),
  "renew-anon-volumes": toggle("Recreate anonymous volumes instead of retrieving data from the previous containers", {
    short: "V",
  }),
  timeout: timeoutFlag,
  timestamps: toggle("Show timestamps"),
  wait: toggle("Wait for services to be running|healthy. Implies detached mode"),
  "wait-timeout": integer("Maximum duration in seconds to wait for the project to be running|healthy"),
  watch: toggle("Watch source code and rebuild/refresh containers when files are updated", { short: "w" }),
} as const;
