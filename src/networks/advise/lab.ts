import {
  addAddress,
  createVeth,
  findLink,
  inNetworkNamespace,
  type NetlinkSocket,
  type NetworkNamespace,
  runProgram,
  setLink,
  writeSysctl,
} from "../../kernel/mod.ts";
import { BridgeDriver } from "../bridge/mod.ts";
import type { Driver } from "../driver.ts";
import { ruleset, rulesOf, tableName } from "../firewall.ts";
import { addressBytes, macBytes, parseIpv4 } from "../ip.ts";
import { MacvlanDriver } from "../macvlan/mod.ts";
import { Members } from "../members.ts";
import type { DriverName, NetworkSpec, StoredNetwork } from "../model.ts";
import { makeSandbox, setDefaultRoutes } from "../sandboxes.ts";

/** Addresses set apart for measuring (RFC 2544): the laboratory's outside, and its bridge. */
const UPLINK = "198.18.0";
const BRIDGE = "198.19.0";
const OWNER = "lab";

interface Place {
  readonly namespace: NetworkNamespace;
  readonly socket: NetlinkSocket;
}

/** Namespaces that play a host with an uplink, its outside, and containers on a bridge and on macvlan. */
export class Laboratory implements Disposable {
  readonly host: Place;
  readonly outside: Place;
  readonly #places: Place[] = [];
  readonly #members: Members;

  constructor() {
    this.host = this.#place();
    this.outside = this.#place();
    this.#members = inNetworkNamespace(this.host.namespace, () => {
      writeSysctl("net/ipv4/ip_forward", "1");
      return new Members(tableName(OWNER));
    });
    const peer = { name: "up1", mac: mac(`${UPLINK}.2`), namespace: this.outside.namespace.fd };
    this.host.socket.transact([createVeth({ name: "up0", mtu: 1500, peer })]);
    up(this.host.socket, "up0", `${UPLINK}.1`);
    up(this.outside.socket, "up1", `${UPLINK}.2`);
  }

  /** Two containers on a bridge, under the rules that Havre has for one; port 5202 of the host leads to the first. */
  async bridge(): Promise<readonly [NetworkNamespace, NetworkNamespace]> {
    const network = networkOf("bridge", BRIDGE, { "com.docker.network.bridge.name": "br0" });
    const places = this.#join(new BridgeDriver(this.host.socket, () => OWNER), network, [`${BRIDGE}.2`, `${BRIDGE}.3`]);
    const rules = ruleset({ owner: OWNER, bridges: [rulesOf(network)], members: this.#members });
    const port = `table ip ports {
  chain translate {
    type nat hook prerouting priority dstnat;
    ip daddr ${UPLINK}.1 tcp dport 5202 dnat to ${BRIDGE}.2:5201
  }
}
`;
    await runProgram("nsenter", [`--net=${this.host.namespace.path}`, "nft", "-f", "-"], `${rules}${port}`);
    return places;
  }

  /** Two containers that are on the outside's own network. */
  macvlan(): readonly [NetworkNamespace, NetworkNamespace] {
    const driver = new MacvlanDriver(
      this.host.socket,
      () => OWNER,
      () => [],
    );
    return this.#join(driver, networkOf("macvlan", UPLINK, { parent: "up0" }), [`${UPLINK}.3`, `${UPLINK}.4`]);
  }

  [Symbol.dispose](): void {
    this.#members[Symbol.dispose]();
    for (const { namespace, socket } of this.#places) {
      socket[Symbol.dispose]();
      namespace[Symbol.dispose]();
    }
  }

  #join(
    driver: Driver,
    network: StoredNetwork,
    addresses: readonly [string, string],
  ): readonly [NetworkNamespace, NetworkNamespace] {
    const segment = inNetworkNamespace(this.host.namespace, () => driver.open(network, new Set()));
    const join = (address: string): NetworkNamespace => {
      const { namespace, socket } = this.#place();
      const ipv4 = parseIpv4(address) ?? 0n;
      const own = { address: addressBytes(4, ipv4), prefixLength: 24 };
      const wanted = { name: "eth0", mac: mac(address), addresses: [own] };
      const { hostInterface } = inNetworkNamespace(this.host.namespace, () => segment.plug(namespace, socket, wanted));
      const given = { ipv4, ipv6: undefined };
      if (driver.pooled) setDefaultRoutes(socket, [addressBytes(4, parseIpv4(network.pools[0]?.gateway ?? "") ?? 0n)]);
      if (hostInterface !== "")
        this.#members.admit({
          hostInterface,
          mac: wanted.mac,
          given,
          linkLocal: [],
          hostAccess: false,
          reachesLinkLocal: [],
          alone: false,
        });
      return namespace;
    };
    return [join(addresses[0]), join(addresses[1])];
  }

  #place(): Place {
    const place = makeSandbox();
    this.#places.push(place);
    return place;
  }
}

function mac(address: string): Uint8Array {
  return macBytes(parseIpv4(address) ?? 0n);
}

function up(socket: NetlinkSocket, name: string, address: string): void {
  const index = findLink(socket, name)?.index ?? 0;
  const own = { address: addressBytes(4, parseIpv4(address) ?? 0n), prefixLength: 24 };
  socket.transact([addAddress(index, own), setLink(index, { up: true })]);
}

function networkOf(driver: DriverName, net: string, options: NetworkSpec["options"]): StoredNetwork {
  const pools = [{ subnet: `${net}.0/24`, gateway: `${net}.1` }];
  const spec: NetworkSpec = {
    driver,
    ipv6: false,
    internal: false,
    attachable: false,
    ingress: false,
    configOnly: false,
    configFrom: "",
    scope: "local",
    ipam: { driver: "default", options: undefined, pools },
    options,
    labels: {},
  };
  return { id: "0".repeat(64), name: "laboratory", created: 0, spec, pools };
}
