import { HavreError } from "../../../base/mod.ts";
import type { Client } from "../../../client/mod.ts";
import { jsonFlag } from "../../args/common.ts";
import { list, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";
import type { ContainerDetail } from "../../types.ts";
import { parsePorts } from "./options/ports.ts";
import { displayReach, type PortReach } from "./reach.ts";

type Ports = NonNullable<ContainerDetail["NetworkSettings"]["Ports"]>;

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [PRIVATE_PORT[/PROTO]]",
  summary: "List port mappings or a specific mapping for the container, or change them",
  detail:
    "Changes take effect at once where the container runs, and hold for every later start. A port that is published is not opened around a firewall of the host that denies it, unless --open says so.",
  examples: [
    ["port web 80", "Where its port 80 is reached"],
    ["port --who web", "Who reaches its ports, and what the host's firewall says"],
    ["port --publish 8443:443 --unpublish 8080 web", "Other ports, while it runs"],
  ],
  flags: {
    json: jsonFlag,
    open: list("As --publish, and reached from outside whatever the host's firewall says"),
    publish: list("Publish another port ([ADDRESS:]PORT:PRIVATE_PORT[/PROTO])", { short: "p" }),
    unpublish: list("Publish a port of the host no longer ([ADDRESS:]PORT[/PROTO])"),
    who: toggle("Show who reaches the ports"),
  },
  min: 1,
  max: 2,
  async run({ context, flags, args: [name = "", wanted] }) {
    const client = await context.client();
    const ports = (await changed(client, name, flags)) ?? (await present(client, name));
    if (flags.who) {
      const reach = await client.json<readonly PortReach[]>("GET", `/havre/v1/containers/${name}/reach`);
      if (flags.json) printJson(context.out, reach);
      else context.out.line(displayReach(reach));
      return 0;
    }
    if (flags.json) {
      printJson(context.out, ports);
      return 0;
    }
    if (wanted !== undefined) {
      const key = wanted.includes("/") ? wanted : `${wanted}/tcp`;
      const bindings = ports[key];
      if (!bindings) throw new HavreError("not-found", `Error: No public port '${wanted}' published for ${name}`);
      for (const binding of bindings) context.out.line(address(binding));
      return 0;
    }
    const lines = Object.entries(ports).flatMap(([port, bindings]) =>
      (bindings ?? []).map((binding) => ({
        number: Number.parseInt(port, 10),
        line: `${port} -> ${address(binding)}`,
      })),
    );
    lines.sort((a, b) => a.number - b.number || (a.line < b.line ? -1 : 1));
    for (const { line } of lines) context.out.line(line);
    return 0;
  },
});

function address({ HostIp, HostPort }: { readonly HostIp: string; readonly HostPort: string }): string {
  return `${HostIp.includes(":") ? `[${HostIp}]` : HostIp}:${HostPort}`;
}

async function present(client: Client, name: string): Promise<Ports> {
  const detail = await client.json<ContainerDetail>("GET", `/containers/${name}/json`);
  return detail.NetworkSettings.Ports ?? {};
}

interface Changes {
  readonly publish: readonly string[];
  readonly open: readonly string[];
  readonly unpublish: readonly string[];
}

/** The ports after the changes that were asked for; undefined: none were. */
async function changed(client: Client, name: string, flags: Changes): Promise<Ports | undefined> {
  if (flags.publish.length + flags.open.length + flags.unpublish.length === 0) return undefined;
  const { bindings } = parsePorts([...flags.publish, ...flags.open], []);
  const json = {
    publish: bindings,
    unpublish: flags.unpublish,
    open: Object.keys(parsePorts(flags.open, []).bindings),
  };
  return (await client.json<{ ports: Ports }>("POST", `/havre/v1/containers/${name}/ports`, { json })).ports;
}
