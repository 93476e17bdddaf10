import { isHavreError, shortId } from "../../../base/mod.ts";
import { formatFlag, jsonFlag, quietFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson, printList } from "../../output/format.ts";
import { humanSize } from "../../output/units.ts";
import { ClientEngine } from "./engine.ts";
import { projectFlags } from "./flags.ts";
import { knownProject } from "./project.ts";
import { containersOf } from "./targets.ts";

interface ImageRow {
  readonly ContainerName: string;
  readonly ID: string;
  readonly Repository: string;
  readonly Tag: string;
  readonly Size: number;
}

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "List images used by a project's containers",
  examples: [["compose images", "Which container runs which image"]],
  flags: { ...projectFlags, format: formatFlag, json: jsonFlag, quiet: quietFlag("Only display IDs") },
  min: 0,
  async run({ context, flags, args }) {
    const { name, project } = await knownProject(context, flags);
    const engine = new ClientEngine(await context.client());
    const containers = containersOf(args, project, await engine.containers(name));
    const rows = await Promise.all(containers.map(({ name, imageId }) => imageRow(engine, name, imageId)));
    if (flags.quiet) for (const id of new Set(rows.map(({ ID }) => ID))) context.out.line(shortId(id));
    else if (flags.json || flags.format === "json") printJson(context.out, rows);
    else {
      const isDefault = flags.format === "" || flags.format === "table";
      const table = "table {{.ContainerName}}\t{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.Size}}";
      await printList(context.out, {
        rows: rows.map((row) => ({
          ContainerName: () => row.ContainerName,
          Repository: () => row.Repository,
          Tag: () => row.Tag,
          ID: () => shortId(row.ID),
          Size: () => humanSize(row.Size, 3),
        })),
        headings: { ContainerName: "CONTAINER", Repository: "REPOSITORY", Tag: "TAG", ID: "IMAGE ID", Size: "SIZE" },
        typeName: "*formatter.imageContext",
        format: isDefault ? table : flags.format,
      });
    }
    return 0;
  },
});

async function imageRow({ client }: ClientEngine, container: string, id: string): Promise<ImageRow> {
  const none = { ContainerName: container, ID: id, Repository: "<none>", Tag: "<none>", Size: 0 };
  try {
    const { RepoTags, Size } = await client.json<{ RepoTags: readonly string[] | null; Size: number }>(
      "GET",
      `/images/${id}/json`,
    );
    const [, Repository = "<none>", Tag = "<none>"] = /^(.*):([^:/]+)$/.exec(RepoTags?.[0] ?? "") ?? [];
    return { ...none, Repository, Tag, Size };
  } catch (error) {
    // Its image was removed by force.
    if (isHavreError(error, "not-found")) return none;
    throw error;
  }
}
