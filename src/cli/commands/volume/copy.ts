import { HavreError, isHavreError } from "../../../base/mod.ts";
import type { Client } from "../../../client/mod.ts";
import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { connectElsewhere } from "../../elsewhere.ts";

export const command = defineCommand({
  usage: "[OPTIONS] VOLUME HOST",
  summary: "Copy a volume to another engine",
  detail:
    "HOST is unix:///path/to.sock, tcp://host:port, or ssh://[user@]host[:port][/path/to.sock]. The volume is there when all has come, or not at all.",
  examples: [
    ["volume copy data ssh://backup.example", "Under the same name"],
    ["volume copy --pause --name db-copy db unix:///run/havre2/havre.sock", "To a second engine on this host"],
  ],
  flags: {
    force: toggle("Replace what is in the volume there", { short: "f" }),
    name: text("Name of the volume there (default the same)"),
    pause: toggle("Pause the containers that have the volume meanwhile"),
  },
  min: 2,
  max: 2,
  async run({ context, flags, args: [volume = "", host = ""] }) {
    const client = await context.client();
    await using other = await connectElsewhere(host);
    await requireHavre(other.client, host);
    const archive = await client.request("GET", "/havre/v1/volumes/archive", {
      query: { name: volume, pause: flags.pause || undefined },
    });
    const { volume: made } = await other.client.json<{ volume: string }>("POST", "/havre/v1/volumes/archive", {
      query: { name: flags.name || volume, force: flags.force || undefined },
      body: archive.body,
      contentType: "application/vnd.havre.volume+tar",
    });
    context.out.line(made);
    return 0;
  },
});

/** Docker's engine has no such door. */
async function requireHavre(client: Client, host: string): Promise<void> {
  try {
    await client.json("GET", "/havre/v1/version");
  } catch (error) {
    if (!isHavreError(error, "not-found")) throw error;
    throw new HavreError("failed-precondition", `${host} is no Havre engine`, {
      cause: error,
      hint: "Back the volume up into a file: 'zstd -d | tar -x' reads it anywhere",
    });
  }
}
