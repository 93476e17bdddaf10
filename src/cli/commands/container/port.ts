import { HavreError } from "../../../base/mod.ts";
import { jsonFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";
import type { ContainerDetail } from "../../types.ts";

export const command = defineCommand({
  usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
  summary: "List port mappings or a specific mapping for the container",
  examples: [["port web 80", "Where its port 80 is reached"]],
  flags: { json: jsonFlag },
  min: 1,
  max: 2,
  async run({ context, flags, args: [name = "", wanted] }) {
    const client = await context.client();
    const detail = await client.json<ContainerDetail>("GET", `/containers/${name}/json`);
    const ports = detail.NetworkSettings.Ports ?? {};
    if (flags.json) {
      printJson(context.out, ports);
      return 0;
    }
    const address = ({ HostIp, HostPort }: { HostIp: string; HostPort: string }) =>
      `${HostIp.includes(":") ? `[${HostIp}]` : HostIp}:${HostPort}`;
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
