import { FrameReader } from "../../../client/mod.ts";
import { text, toggle } from "../../args/flags.ts";
import { timeQuery } from "../../args/time.ts";
import { defineCommand } from "../../command.ts";
import type { ContainerDetail } from "../../types.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Fetch the logs of a container",
  examples: [
    ["logs -f --tail 20 web", "The last lines, and what comes"],
    ["logs --since 10m -t db", "Ten minutes back, with times"],
    ["logs --removed job", "Of a container that is gone"],
  ],
  flags: {
    details: toggle("Show extra details provided to logs"),
    follow: toggle("Follow log output", { short: "f" }),
    removed: toggle("Logs of a removed container, by the name it had"),
    since: text('Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'),
    tail: text("Number of lines to show from the end of the logs", {
      short: "n",
      initial: "all",
      defaultText: '"all"',
    }),
    timestamps: toggle("Show timestamps", { short: "t" }),
    until: text('Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'),
  },
  min: 1,
  max: 1,
  async run({ context, flags, args: [name = ""] }) {
    const client = await context.client();
    const query = {
      name: flags.removed ? name : undefined,
      stdout: true,
      stderr: true,
      follow: flags.follow || undefined,
      timestamps: flags.timestamps || undefined,
      details: flags.details || undefined,
      tail: flags.tail,
      since: timeQuery("since", flags.since),
      until: timeQuery("until", flags.until),
    };
    const path = flags.removed ? "/havre/v1/removed-logs" : `/containers/${name}/logs`;
    // Older daemons do not say in the answer whether the stream is framed; the container does.
    const detail = flags.removed ? undefined : await client.json<ContainerDetail>("GET", `/containers/${name}/json`);
    const answer = await client.request("GET", path, { query });
    const raw = detail?.Config.Tty ?? answer.head.headers.get("content-type")?.includes("raw-stream") ?? false;
    const frames = new FrameReader((stream, data) => (stream === "stderr" ? context.err : context.out).write(data));
    for await (const chunk of answer.body) {
      if (raw) context.out.write(chunk);
      else frames.push(chunk);
    }
    return 0;
  },
});
