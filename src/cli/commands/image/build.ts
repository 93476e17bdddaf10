import { existsSync, statSync, writeFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { HavreError } from "../../../base/mod.ts";
import { quietFlag } from "../../args/common.ts";
import { list, text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import type { Context } from "../../context.ts";
import { lendAgents } from "./build/agents.ts";
import { isRemoteContext, namedContext, packChanged } from "./build/contexts.ts";
import { reportFailure, reportWarnings } from "./build/failure.ts";
import type { BuildFailure, BuildMade, BuildView, BuildWarning } from "./build/lines.ts";
import { nativeBuild } from "./build/native.ts";
import { openOutput, parseOutput } from "./build/output.ts";
import { PlainView } from "./build/plain-view.ts";
import { cacheOption, findDockerfile, keyValues, pair, readSecrets, registryHeaders } from "./build/request.ts";
import { readProvenance, readSbom, sourceOf } from "./build/source.ts";
import { TreeView } from "./build/tree-view.ts";

const SILENT: BuildView = { line: () => {}, end: () => {} };

export const command = defineCommand({
  usage: "[OPTIONS] PATH | URL | -",
  summary: "Build an image from a Dockerfile",
  examples: [
    ["build -t app .", "This folder, by its Dockerfile"],
    ["build -t app --build-arg VERSION=2 --secret id=token,src=token.txt .", "With an argument and a secret"],
    ["build --target test --output type=local,dest=out .", "The files of a stage into a folder"],
    ["build --debug .", "A shell in the state before the step that fails"],
    ["build --check .", "Only say what could be written better"],
  ],
  flags: {
    "add-host": list("Add a custom host-to-IP mapping (host:ip)"),
    allow: list('Grant steps a right beyond a container\'s ("security.insecure")'),
    "build-arg": list("Set build-time variables"),
    "build-context": list("Additional build contexts (name=path, name=docker-image://IMAGE)"),
    "cache-from": list(
      "Begin with the cache of another build (NAME, type=registry,ref=NAME, or type=local,src=FOLDER)",
    ),
    "cache-to": list("Leave the cache to other builds (type=registry,ref=NAME | type=local,dest=FOLDER | type=inline)"),
    check: toggle("Only look for what could be written better"),
    debug: toggle("Open a shell in the state before a step that fails"),
    file: text("Name of the Dockerfile (default: PATH/Dockerfile)", { short: "f" }),
    iidfile: text("Write the image ID to the file"),
    label: list("Set metadata for an image"),
    "metadata-file": text("Write build result metadata to the file"),
    network: text("Set the networking mode for the RUN instructions during build", { initial: "default" }),
    "no-cache": toggle("Do not use cache when building the image"),
    "no-cache-filter": list("Do not cache specified stages"),
    output: text("Output destination (type=local|tar|oci|docker,dest=path)", { short: "o" }),
    platform: text("Set target platform for build"),
    progress: text('Set type of progress output ("auto", "plain", "tty")', { initial: "auto" }),
    provenance: text("Say how it was built, with the image (min or max)", { alone: "min" }),
    pull: toggle("Always attempt to pull all referenced images"),
    quiet: quietFlag("Suppress the build output and print image ID on success"),
    secret: list('Secret to expose to the build ("id=mysecret,src=/local/secret")'),
    sbom: text("Say what is in it, with the image (spdx, cyclonedx or both)", { alone: "spdx,cyclonedx" }),
    ssh: list('SSH agent socket or keys to expose to the build ("default|<id>[=<socket>|<key>[,<key>]]")'),
    squash: toggle("Squash newly built layers into a single new layer"),
    tag: list('Name and optionally a tag ("name:tag")', { short: "t" }),
    target: text("Set the target build stage to build"),
  },
  min: 1,
  max: 1,
  async run({ context, flags, args: [place = "."] }) {
    const remote = isRemoteContext(place);
    if (!remote && place !== "-" && !(existsSync(place) && statSync(place).isDirectory())) {
      throw new HavreError("not-found", `unable to prepare context: path ${JSON.stringify(place)} not found`);
    }
    const folder = remote || place === "-" ? undefined : place;
    const dockerfile = folder === undefined ? undefined : findDockerfile(folder, flags.file);
    const output = parseOutput(flags.output);
    await using agents = await lendAgents(context, flags.ssh);
    const client = await context.client();
    const { contexts, body, keptContext } = await packChanged(
      client,
      folder === undefined ? undefined : { folder, dockerfile: dockerfile?.name ?? "" },
      flags["build-context"].map((word) => namedContext(...pair(word))),
    );
    if (place === "-" && contexts.length > 0)
      throw new HavreError("invalid-argument", "A context of standard input is the only one of its build");
    const request = {
      dockerfile: dockerfile?.name ?? (flags.file || "Dockerfile"),
      ...(dockerfile && !dockerfile.inContext ? { dockerfileText: dockerfile.text } : {}),
      ...(remote ? { remote: place } : {}),
      tags: flags.tag,
      ...(flags.target === "" ? {} : { target: flags.target }),
      ...(flags.platform === "" ? {} : { platform: flags.platform }),
      buildArgs: keyValues(flags["build-arg"], context.env),
      labels: keyValues(flags.label, {}),
      noCache: flags["no-cache"] || flags["no-cache-filter"],
      pull: flags.pull,
      network: flags.network === "default" ? "bridge" : flags.network,
      extraHosts: flags["add-host"],
      contexts,
      keptContext,
      agents: agents.sockets,
      allow: flags.allow,
      secrets: readSecrets(flags.secret, context.env),
      files: output?.kind === "files",
      squash: flags.squash,
      check: flags.check,
      debug: flags.debug,
      provenance: readProvenance(flags.provenance),
      sbom: readSbom(flags.sbom),
      requestedBy: `${context.env.USER ?? context.env.LOGNAME ?? `uid-${userInfo().uid}`}@${hostname()}`,
      source: folder === undefined ? (remote ? { remote: place } : {}) : await sourceOf(folder),
    };
    const view = flags.quiet || flags.check ? SILENT : await openView(context, flags.progress);
    const sink = output?.kind === "files" ? openOutput(output) : undefined;
    const warnings: BuildWarning[] = [];
    let end: BuildMade | BuildFailure | undefined;
    try {
      end = await nativeBuild(
        client,
        {
          request,
          cacheFrom: flags["cache-from"].map(cacheOption),
          cacheTo: flags["cache-to"].map(cacheOption),
          body: place === "-" ? (Bun.stdin.stream() as unknown as AsyncIterable<Uint8Array>) : body,
          headers: await registryHeaders(context.env, dockerfile?.text ?? ""),
        },
        {
          line: (line) => {
            view.line(line);
            if (line.kind === "warning") warnings.push(line);
          },
          files: (bytes) => sink?.write(bytes),
        },
      );
    } finally {
      view.end();
      await sink?.end();
    }
    if (!flags.quiet) reportWarnings(context, warnings, flags.check);
    if (end?.kind === "failed") return reportFailure(context, end, flags.debug, place);
    if (flags.check) return warnings.length > 0 ? 1 : 0;
    if (!end) return 0;
    await finish(context, end, flags, output);
    return 0;
  },
});

async function openView({ err }: Context, progress: string): Promise<BuildView> {
  if (progress === "plain" || (progress === "auto" && !err.isTerminal)) return new PlainView(err);
  if (progress !== "auto" && progress !== "tty") {
    throw new HavreError("invalid-argument", `invalid progress type: ${progress}`, { hint: "auto, plain or tty" });
  }
  const { terminalSize } = await import("../../output/terminal.ts");
  return new TreeView(err, await terminalSize(2));
}

interface Wishes {
  readonly quiet: boolean;
  readonly iidfile: string;
  readonly "metadata-file": string;
}

async function finish(
  context: Context,
  made: BuildMade,
  flags: Wishes,
  output: ReturnType<typeof parseOutput>,
): Promise<void> {
  const { id = "", digest, names = [] } = made;
  if (flags.iidfile !== "") writeFileSync(flags.iidfile, id);
  if (flags["metadata-file"] !== "") {
    const metadata = {
      ...(digest === undefined ? {} : { "containerimage.digest": digest }),
      "containerimage.config.digest": id,
      ...(names.length === 0 ? {} : { "image.name": names.join(",") }),
    };
    writeFileSync(flags["metadata-file"], `${JSON.stringify(metadata, null, 2)}\n`);
  }
  if (output?.kind === "archive") {
    const client = await context.client();
    const answer = await client.request("GET", "/images/get", { query: { names: names.length > 0 ? names : [id] } });
    const sink = openOutput(output);
    for await (const chunk of answer.body) sink.write(chunk);
    await sink.end();
  }
  if (flags.quiet) context.out.line(id);
  else if (id !== "")
    context.err.line(`Built ${names.length > 0 ? `${names.join(", ")} (${id.slice(7, 19)})` : id.slice(7, 19)}`);
}
