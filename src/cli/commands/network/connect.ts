import { list, text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { driverOptions, strings } from "./flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] NETWORK CONTAINER",
  summary: "Connect a container to a network",
  detail: "A running container gets the network at once, another one with its next start.",
  examples: [
    ["network connect app web", "Now it is on one network more"],
    ["network connect --alias db --ip 10.5.0.9 app postgres", "Under another name and a fixed address"],
  ],
  flags: {
    alias: strings("Add network-scoped alias for the container"),
    "driver-opt": strings("Driver options for the network"),
    ip: text('IPv4 address (e.g., "172.30.100.104")'),
    ip6: text('IPv6 address (e.g., "2001:db8::33")'),
    link: list("Add link to another container"),
    "link-local-ip": strings("Add a link-local address for the container"),
  },
  min: 2,
  max: 2,
  async run({ context, flags, args: [network = "", container = ""] }) {
    const client = await context.client();
    await client.run("POST", `/networks/${encodeURIComponent(network)}/connect`, {
      json: {
        Container: container,
        EndpointConfig: {
          IPAMConfig: { IPv4Address: flags.ip, IPv6Address: flags.ip6, LinkLocalIPs: flags["link-local-ip"] },
          Links: flags.link,
          Aliases: flags.alias,
          DriverOpts: driverOptions(flags["driver-opt"]),
        },
      },
    });
    return 0;
  },
});
