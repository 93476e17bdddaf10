import { HavreError } from "../../../base/mod.ts";
import { familiarReference, parseReference, withDefaultTag } from "../../../spec/mod.ts";
import { quietFlag } from "../../args/common.ts";
import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { registryAuthHeader } from "../../credentials/sign-ins.ts";
import { SILENT } from "../../output/output.ts";
import { showProgress } from "./progress.ts";

export const command = defineCommand({
  usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
  summary: "Download an image from a registry",
  examples: [
    ["pull debian:12", "From Docker Hub"],
    ["pull --platform linux/arm64 registry.example:5000/app:1", "For another machine, from a registry of one's own"],
    ["pull -a registry.example:5000/app", "Every tag"],
  ],
  flags: {
    "all-tags": toggle("Download all tagged images in the repository", { short: "a" }),
    "disable-content-trust": toggle("Skip image verification", { initial: true, hidden: true }),
    platform: text("Set platform if server is multi-platform capable"),
    quiet: quietFlag("Suppress verbose output"),
  },
  min: 1,
  max: 1,
  async run({ context, flags, args: [name = ""] }) {
    const named = parseReference(name);
    const only = named.tag === undefined && named.digest === undefined;
    if (flags["all-tags"] && !only) throw new HavreError("invalid-argument", "tag can't be used with --all-tags/-a");
    const reference = flags["all-tags"] ? named : withDefaultTag(named);
    if (only && !flags["all-tags"] && !flags.quiet) context.out.line(`Using default tag: ${reference.tag}`);
    const { domain, path, digest, tag } = reference;
    const headers = await registryAuthHeader(context.env, domain);
    const client = await context.client();
    const answer = await client.request("POST", "/images/create", {
      query: {
        fromImage: familiarReference({ domain, path }),
        tag: digest ?? tag,
        platform: flags.platform || undefined,
      },
      headers,
    });
    await showProgress(answer.body, flags.quiet ? SILENT : context.out);
    const canonical = `${domain}/${path}${digest ? `@${digest}` : tag ? `:${tag}` : ""}`;
    context.out.line(canonical);
    return 0;
  },
});
