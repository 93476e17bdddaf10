import { HavreError } from "../../../base/mod.ts";
import { cidrContains, cidrsOverlap } from "../../args/cidr.ts";

/** Docker's `IPAMConfig`. */
export interface IpamConfig {
  Subnet: string;
  IPRange?: string;
  Gateway?: string;
  AuxiliaryAddresses?: Record<string, string>;
}

export interface IpamFlags {
  readonly subnet: readonly string[];
  readonly "ip-range": readonly string[];
  readonly gateway: readonly string[];
  readonly "aux-address": Readonly<Record<string, string>>;
}

function refuse(text: string): never {
  throw new HavreError("invalid-argument", text);
}

/** Each range, gateway and other address goes to the subnet that has it (docker/cli, consolidateIpam). */
export function consolidateIpam(flags: IpamFlags): readonly IpamConfig[] {
  const { subnet: subnets, "ip-range": ranges, gateway: gateways } = flags;
  if (subnets.length < ranges.length || subnets.length < gateways.length)
    refuse("every ip-range or gateway must have a corresponding subnet");
  const configs: IpamConfig[] = [];
  for (const subnet of subnets) {
    if (configs.some(({ Subnet }) => cidrsOverlap(Subnet, subnet)))
      refuse("multiple overlapping subnet configuration is not supported");
    configs.push({ Subnet: subnet });
  }
  const holder = (address: string) => configs.find(({ Subnet }) => cidrContains(Subnet, address));
  for (const range of ranges) {
    const config = holder(range) ?? refuse(`no matching subnet for range ${range}`);
    if (config.IPRange !== undefined)
      refuse(`cannot configure multiple ranges (${range}, ${config.IPRange}) on the same subnet (${config.Subnet})`);
    config.IPRange = range;
  }
  for (const gateway of gateways) {
    const config = holder(gateway) ?? refuse(`no matching subnet for gateway ${gateway}`);
    if (config.Gateway !== undefined)
      refuse(
        `cannot configure multiple gateways (${gateway}, ${config.Gateway}) for the same subnet (${config.Subnet})`,
      );
    config.Gateway = gateway;
  }
  for (const [name, address] of Object.entries(flags["aux-address"])) {
    const config = holder(address) ?? refuse(`no matching subnet for aux-address ${address}`);
    config.AuxiliaryAddresses = { ...config.AuxiliaryAddresses, [name]: address };
  }
  return configs;
}
