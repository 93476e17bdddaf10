import { defineCommand } from "../../command.ts";

interface Imported {
  readonly project: string;
  readonly containers: readonly string[];
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
  readonly warnings: readonly string[];
}

export const command = defineCommand({
  usage: "[OPTIONS] FILE",
  summary: "Make an application of a file, and start what ran",
  detail:
    "Containers, networks and volumes of the same names must not be there. If anything is wrong none of them is made.",
  examples: [["app import shop.havre", "Same images by digest, same data"]],
  flags: {},
  min: 1,
  max: 1,
  async run({ context, args: [path = ""] }) {
    const client = await context.client();
    const { readCompressed } = await import("./file.ts");
    const { containers, warnings } = await client.json<Imported>("POST", "/havre/v1/apps/archive", {
      body: readCompressed(path),
      contentType: "application/vnd.havre.application+tar",
    });
    for (const name of containers) context.out.line(name);
    for (const warning of warnings) context.err.line(`WARNING: ${warning}`);
    return 0;
  },
});
