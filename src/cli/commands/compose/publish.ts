import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { HavreError, VERSION } from "../../../base/mod.ts";
import type { Project } from "../../../compose/mod.ts";
import { familiarReference, parseReference, withDefaultTag } from "../../../spec/mod.ts";
import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { callCommand } from "./call.ts";
import { pinned } from "./config.ts";
import { projectFlags } from "./flags.ts";
import { projectOf } from "./project.ts";
import { command as push } from "./push.ts";
import {
  COMPOSE_FILE,
  COMPOSE_PROJECT,
  type Descriptor,
  descriptorOf,
  MANIFEST,
  type Manifest,
  Repository,
} from "./remote/registry-client.ts";

export const command = defineCommand({
  usage: "[OPTIONS] REPOSITORY[:TAG]",
  summary: "Publish compose application",
  detail:
    "Its files go to a registry, its images that are built here too; others begin with include: [oci://REPOSITORY:TAG].",
  examples: [
    ["compose alpha publish registry.example/shop:1", "Then anywhere: havre up -f oci://registry.example/shop:1"],
  ],
  flags: {
    ...projectFlags,
    "oci-version": text("OCI Image/Artifact specification version: 1.0 or 1.1", {
      initial: "1.1",
      defaultText: '"1.1"',
    }),
    "resolve-image-digests": toggle("Pin image tags to digests"),
  },
  min: 1,
  max: 1,
  async run({ context, flags, args }): Promise<number> {
    const [name = ""] = args;
    const version = flags["oci-version"];
    if (version !== "1.0" && version !== "1.1")
      throw new HavreError("invalid-argument", `--oci-version must be 1.0 or 1.1, not ${JSON.stringify(version)}`);
    const project = await projectOf(context, flags);
    const reference = withDefaultTag(parseReference(name));
    const shown = familiarReference(reference);
    const contents = filesOf(
      project,
      flags["resolve-image-digests"] ? await pinned(await context.client(), project) : undefined,
    );
    if (flags["dry-run"]) {
      context.out.line(`DRY-RUN MODE -  ${shown} published`);
      return 0;
    }
    if (Object.values(project.services).some(({ build, image }) => build && image))
      await callCommand(push, context, [], { ...flags, quiet: true });
    const repository = await Repository.open(reference.domain, reference.path, context.env);
    const empty = Buffer.from("{}");
    const config = descriptorOf(empty, version === "1.0" ? COMPOSE_PROJECT : "application/vnd.oci.empty.v1+json");
    await repository.putBlob(empty, config);
    const layers: Descriptor[] = [];
    for (const { file, content } of contents) {
      const layer = descriptorOf(content, COMPOSE_FILE);
      await repository.putBlob(content, layer);
      layers.push({
        ...layer,
        annotations: { "com.docker.compose.file": file, "com.docker.compose.version": VERSION },
      });
    }
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      ...(version === "1.0" ? {} : { artifactType: COMPOSE_PROJECT }),
      config,
      layers,
    };
    await repository.putManifest(Buffer.from(JSON.stringify(manifest)), reference.tag ?? "latest");
    context.out.line(`${shown} published`);
    return 0;
  },
});

/** The project's files as they are, and where images are pinned, a last one that says to what. */
function filesOf(project: Project, pins: Project | undefined): readonly { file: string; content: Uint8Array }[] {
  if (project.files.includes("-"))
    throw new HavreError("invalid-argument", "A project read from standard input cannot be published", {
      hint: "Name its file with -f",
    });
  const own = project.files.map((path) => ({ file: basename(path), content: readFileSync(path) as Uint8Array }));
  if (!pins) return own;
  const images = Object.entries(pins.services).flatMap(([name, { image }]) =>
    image === undefined ? [] : [[name, { image }] as const],
  );
  // JSON is YAML.
  const content = Buffer.from(`${JSON.stringify({ services: Object.fromEntries(images) })}\n`);
  return [...own, { file: "image-digests.yaml", content }];
}
