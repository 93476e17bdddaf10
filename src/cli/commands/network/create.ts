import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { pairs, strings } from "./flags.ts";
import { consolidateIpam } from "./ipam.ts";

export const command = defineCommand({
  usage: "[OPTIONS] NETWORK",
  summary: "Create a network",
  detail: `Containers on a network reach each other by name, and no other network's containers.

Driver options of bridge networks: com.docker.network.bridge.name, .enable_icc, .enable_ip_masquerade, .host_binding_ipv4,
com.docker.network.driver.mtu; and Havre's own: havre.host_access=true lets containers reach services of the host by the
bridge's address, havre.link_local_access=true a cloud's metadata service.
Of macvlan networks: parent (eth0, or eth0.10 for a VLAN), macvlan_mode (bridge, private, vepa, passthru).`,
  examples: [
    ["network create app", "A bridge with a subnet of its own"],
    ["network create --subnet 10.5.0.0/24 --ipv6 --subnet fd00:5::/64 app", "With addresses of your choice"],
    ["network create --internal db", "No way out, and none in"],
    [
      "network create -d macvlan -o parent=eth0 --subnet 192.168.1.0/24 --gateway 192.168.1.1 lan",
      "On the host's own network",
    ],
  ],
  flags: {
    attachable: toggle("Enable manual container attachment"),
    "aux-address": pairs("map", "Auxiliary IPv4 or IPv6 addresses used by Network driver"),
    "config-from": text("The network from which to copy the configuration"),
    "config-only": toggle("Create a configuration only network"),
    driver: text("Driver to manage the Network", { short: "d", initial: "bridge", defaultText: '"bridge"' }),
    gateway: strings("IPv4 or IPv6 Gateway for the master subnet"),
    ingress: toggle("Create swarm routing-mesh network"),
    internal: toggle("Restrict external access to the network"),
    "ip-range": strings("Allocate container ip from a sub-range"),
    "ipam-driver": text("IP Address Management Driver", { initial: "default", defaultText: '"default"' }),
    "ipam-opt": pairs("map", "Set IPAM driver specific options"),
    ipv6: toggle("Enable IPv6 networking"),
    label: pairs("list", "Set metadata on a network"),
    opt: pairs("map", "Set driver specific options", { short: "o" }),
    scope: text("Control the network's scope"),
    subnet: strings("Subnet in CIDR format that represents a network segment"),
  },
  min: 1,
  max: 1,
  async run({ context, flags, args: [name = ""] }) {
    const config = consolidateIpam(flags);
    const client = await context.client();
    const { Id, Warning } = await client.json<{ Id: string; Warning: string }>("POST", "/networks/create", {
      json: {
        Name: name,
        Driver: flags.driver,
        Scope: flags.scope,
        EnableIPv6: flags.ipv6,
        IPAM: { Driver: flags["ipam-driver"], Options: flags["ipam-opt"], Config: config },
        Internal: flags.internal,
        Attachable: flags.attachable,
        Ingress: flags.ingress,
        ConfigOnly: flags["config-only"],
        ...(flags["config-from"] === "" ? {} : { ConfigFrom: { Network: flags["config-from"] } }),
        Options: flags.opt,
        Labels: flags.label,
      },
    });
    if (Warning !== "") context.err.line(`WARNING: ${Warning}`);
    context.out.line(Id);
    return 0;
  },
});
