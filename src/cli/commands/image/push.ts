import { HavreError } from "../../../base/mod.ts";
import { familiarName, familiarReference, parseReference, withDefaultTag } from "../../../spec/mod.ts";
import { quietFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { registryAuthHeader } from "../../credentials/sign-ins.ts";
import { SILENT } from "../../output/output.ts";
import { showProgress } from "./progress.ts";

export const command = defineCommand({
  usage: "[OPTIONS] NAME[:TAG]",
  summary: "Upload an image to a registry",
  examples: [
    ["push registry.example:5000/app:1", "After: havre tag app registry.example:5000/app:1"],
    ["push -a registry.example:5000/app", "Every tag that is here"],
  ],
  flags: {
    "all-tags": toggle("Push all tags of an image to the repository", { short: "a" }),
    "disable-content-trust": toggle("Skip image signing", { initial: true, hidden: true }),
    quiet: quietFlag("Suppress verbose output"),
  },
  min: 1,
  max: 1,
  async run({ context, flags, args: [name = ""] }) {
    const named = parseReference(name);
    const all = flags["all-tags"];
    if (all && (named.tag !== undefined || named.digest !== undefined))
      throw new HavreError("invalid-argument", "tag can't be used with --all-tags/-a");
    const reference = all ? named : withDefaultTag(named);
    if (!all && named.tag === undefined && !flags.quiet) context.out.line(`Using default tag: ${reference.tag}`);
    // dockerd wants the header even when nothing is known.
    const headers = { "X-Registry-Auth": "e30", ...(await registryAuthHeader(context.env, reference.domain)) };
    const client = await context.client();
    const answer = await client.request("POST", `/images/${familiarName(reference)}/push`, {
      query: { tag: reference.tag },
      headers,
    });
    await showProgress(answer.body, flags.quiet ? SILENT : context.out);
    if (flags.quiet) context.out.line(familiarReference(reference));
    return 0;
  },
});
