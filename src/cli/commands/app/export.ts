import { HavreError } from "../../../base/mod.ts";
import type { Client } from "../../../client/mod.ts";
import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { humanSize } from "../../output/units.ts";
import type { ContainerSummary } from "../../types.ts";

const PROJECT = "com.docker.compose.project";

export const command = defineCommand({
  usage: "[OPTIONS] FILE",
  summary: "Write an application into a file, to take it elsewhere",
  detail:
    "Its containers with their settings, images, networks, and volumes with what is in them. Folders of the host that it mounts stay behind, which is said.",
  examples: [
    ["app export -p shop shop.havre", "As it is while it runs"],
    ["app export --pause -p shop shop.havre", "Standing still meanwhile: nothing is half-written"],
  ],
  flags: {
    pause: toggle("Pause its containers meanwhile"),
    project: text("Compose project (default the only one there is, or $COMPOSE_PROJECT_NAME)", { short: "p" }),
  },
  min: 1,
  max: 1,
  async run({ context, flags, args: [path = ""] }) {
    const client = await context.client();
    const project = flags.project || context.env.COMPOSE_PROJECT_NAME || (await onlyProject(client));
    const answer = await client.request("GET", "/havre/v1/apps/archive", {
      query: { project, pause: flags.pause || undefined },
    });
    const { writeCompressed } = await import("./file.ts");
    const size = await writeCompressed(path, answer.body);
    context.out.line(project);
    context.err.line(`${humanSize(size)} in ${path}`);
    return 0;
  },
});

async function onlyProject(client: Client): Promise<string> {
  const containers = await client.json<ContainerSummary[]>("GET", "/containers/json", { query: { all: true } });
  const projects = [...new Set(containers.flatMap(({ Labels }) => Labels?.[PROJECT] ?? []))].sort();
  const [only] = projects;
  if (only !== undefined && projects.length === 1) return only;
  throw new HavreError(
    "invalid-argument",
    only === undefined ? "There is no project" : `There are several projects: ${projects.join(", ")}`,
    { hint: "Name one with --project" },
  );
}
