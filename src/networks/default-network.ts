import { HavreError } from "../base/mod.ts";
import type { NetlinkSocket } from "../kernel/mod.ts";
import { defaultBridgeOptions, subnetOfBridge } from "./bridge/mod.ts";
import type { Endpoints } from "./endpoints.ts";
import { type Address, formatAddress, formatSubnet, overlap, parseAddress, parseSubnet, type Subnet } from "./ip.ts";
import { type NetworkSpec, networkKind, type StoredNetwork } from "./model.ts";
import type { HostNetworksOptions } from "./open-networks.ts";
import { DEFAULT_POOLS, firstFreeSubnet, hostSubnets, noneLeft, subnetsInUse } from "./subnets.ts";

const SPEC: NetworkSpec = {
  driver: "bridge",
  ipv6: false,
  internal: false,
  attachable: false,
  ingress: false,
  configOnly: false,
  configFrom: "",
  scope: "local",
  ipam: { driver: "default", options: undefined, pools: [] },
  options: {},
  labels: {},
};

/** Stores those networks of every host that are not there yet: `none`, `host`, and `bridge` with its subnet. */
export async function settlePredefined(
  options: HostNetworksOptions,
  endpoints: Endpoints,
  socket: NetlinkSocket,
  nameservers: readonly string[],
): Promise<void> {
  const { store, clock, newId, bridge } = options;
  await store.update((tx) => {
    for (const [name, driver] of [["host", "host"] as const, ["none", "null"] as const]) {
      if (tx.find(networkKind, "name", name).length > 0) continue;
      tx.put(networkKind, { id: newId(), name, created: clock.now(), spec: { ...SPEC, driver }, pools: [] });
    }
  });
  const stored = store.view((tx) => tx.find(networkKind, "name", "bridge")[0]);
  const wanted = defaultBridgeOptions(bridge, options.hostAccess ?? false);
  const { subnet, gateway } = settleSubnet(options, endpoints, socket, nameservers, stored);
  const pool = { subnet: formatSubnet(subnet), gateway: formatAddress(4, gateway) };
  if (
    stored &&
    stored.pools[0]?.subnet === pool.subnet &&
    JSON.stringify(stored.spec.options) === JSON.stringify(wanted)
  )
    return;
  if (stored?.pools[0]?.subnet !== pool.subnet)
    for (const { id, networkId } of endpoints.list()) if (networkId === stored?.id) endpoints.delete(id);
  await store.update((tx) => {
    tx.put(networkKind, {
      id: stored?.id ?? newId(),
      name: "bridge",
      created: stored?.created ?? clock.now(),
      spec: { ...SPEC, options: wanted },
      pools: [pool],
    });
  });
}

/** The asked subnet, else the stored one, else an existing bridge's, else a free one. */
function settleSubnet(
  options: HostNetworksOptions,
  endpoints: Endpoints,
  socket: NetlinkSocket,
  nameservers: readonly string[],
  stored: StoredNetwork | undefined,
): { readonly subnet: Subnet; readonly gateway: Address } {
  const asked = options.subnet === undefined ? undefined : parseSubnet(options.subnet);
  const former = stored?.pools[0];
  if (former && (asked === undefined || formatSubnet(asked) === former.subnet)) {
    const subnet = parseSubnet(former.subnet);
    return { subnet, gateway: parseAddress(former.gateway ?? "")?.address ?? subnet.base + 1n };
  }
  if (stored) refuseWhileAttached(options, endpoints, stored);
  const found = subnetOfBridge(socket, options.bridge);
  if (asked) refuseOthersAddresses(asked, found?.subnet, socket);
  const existing = asked ? undefined : found;
  const pools = options.defaultPools ?? DEFAULT_POOLS;
  const subnet = asked ?? existing?.subnet ?? firstFreeSubnet(pools, 4, subnetsInUse(socket, nameservers));
  if (!subnet) throw noneLeft(4);
  return { subnet, gateway: existing?.gateway ?? subnet.base + 1n };
}

/** Where the host has an address already, another daemon's bridge say, one of the two would be cut off. */
function refuseOthersAddresses(asked: Subnet, own: Subnet | undefined, socket: NetlinkSocket): void {
  const other = hostSubnets(socket).find(
    (subnet) => overlap(subnet, asked) && (own === undefined || formatSubnet(own) !== formatSubnet(subnet)),
  );
  if (!other) return;
  const [wanted, taken] = [formatSubnet(asked), formatSubnet(other)];
  throw new HavreError(
    "failed-precondition",
    `The default network cannot be ${wanted}: it overlaps ${taken}, where this host has an address`,
    { hint: "Give another one with --subnet" },
  );
}

function refuseWhileAttached({ subnet }: HostNetworksOptions, endpoints: Endpoints, stored: StoredNetwork): void {
  const attached = endpoints.list().filter(({ networkId, attached: is }) => is && networkId === stored.id);
  if (attached.length === 0) return;
  throw new HavreError(
    "conflict",
    `The default network cannot become ${subnet}: ${attached.length} running containers have addresses of ${stored.pools[0]?.subnet}`,
    { hint: "Stop them first, or start without --subnet" },
  );
}
