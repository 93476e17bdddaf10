import type { Upgrade } from "../store/mod.ts";

/** Networks had one subnet at most, and nothing that a user could ask. */
export const networkOfOneSubnet: Upgrade = ({ driver, subnet, gateway, ...network }) => ({
  ...network,
  spec: {
    driver,
    ipv6: false,
    internal: false,
    attachable: false,
    ingress: false,
    configOnly: false,
    configFrom: "",
    scope: "local",
    ipam: { driver: "default", pools: [] },
    options: {},
    labels: {},
  },
  pools: subnet === undefined ? [] : [{ subnet, gateway }],
});

/** Endpoints were of one network a container, with IPv4 alone; the hardware address was made from it unless asked for. */
export const endpointOfOneNetwork: Upgrade = (endpoint) => ({
  macAddress: macOf(String(endpoint.ipAddress)),
  ipv6Address: "",
  interfaceName: "eth0",
  aliases: [],
  dnsNames: [],
  links: [],
  driverOptions: {},
  gatewayPriority: 0,
  ...endpoint,
});

function macOf(ipAddress: string): string {
  const bytes = ipAddress.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return ["02", "42", ...bytes].join(":");
}
