import { contains, type Family, type Subnet } from "../ip.ts";
import { addressField, type EgressElement, element, linkElement, portFields, subnetField } from "./elements.ts";
import { type Egress, type EgressRule, subnetOfRule } from "./model.ts";

/** The interface of a limited container. */
export interface LimitedPlace {
  /** The host's end of the pair. */
  readonly hostInterface: string;
  readonly bridge: string;
  readonly mac: Uint8Array;
  /** All that it may send under. */
  readonly addresses: readonly { readonly family: Family; readonly address: bigint }[];
  /** Of its network: whom it reaches without a grant. */
  readonly subnets: readonly Subnet[];
  readonly egress: Egress;
}

type Destination = EgressRule & { readonly subnet: Subnet };

/** What of a place is in the sets as long as it is there. */
export function standingElements({ bridge, mac, addresses, subnets, egress }: LimitedPlace): readonly EgressElement[] {
  const destinations = egress.rules.flatMap((rule): readonly Destination[] => {
    const subnet = subnetOfRule(rule);
    return subnet ? [{ ...rule, subnet }] : [];
  });
  const apart = destinations.filter(
    (one, at) => !destinations.some((other, where) => makesNeedless(other, where, one, at)),
  );
  return [
    linkElement(bridge, mac),
    ...addresses.flatMap(({ family, address }) => {
      const own = addressField(family, address);
      const ofFamily = (subnet: Subnet) => subnet.family === family;
      return [
        element(`limited${family}`, [own]),
        ...subnets.filter(ofFamily).map((subnet) => element(`home${family}`, [own, subnetField(subnet)], true)),
        ...apart
          .filter(({ subnet }) => ofFamily(subnet))
          .map(({ subnet, port, protocol = "tcp" }) =>
            port === undefined
              ? element(`reach${family}`, [own, subnetField(subnet)], true)
              : element(`reach_ports${family}`, [own, subnetField(subnet), ...portFields(protocol, port)], true),
          ),
      ];
    }),
  ];
}

/** Within a set of ranges none may lie in another. */
function makesNeedless(other: Destination, where: number, one: Destination, at: number): boolean {
  if (where === at || other.port !== one.port || other.protocol !== one.protocol) return false;
  if (other.subnet.family !== one.subnet.family || !contains(other.subnet, one.subnet.base)) return false;
  const wider = one.subnet.prefixLength - other.subnet.prefixLength;
  return wider > 0 || (wider === 0 && where < at);
}

/** What a place is granted when a name is heard to have this address. */
export function learnedElements(
  { addresses }: LimitedPlace,
  rules: readonly EgressRule[],
  { family, address }: { readonly family: Family; readonly address: bigint },
): readonly EgressElement[] {
  const there = addressField(family, address);
  const own = addresses.filter((one) => one.family === family);
  return own.flatMap((one) =>
    rules.map(({ port, protocol = "tcp" }) => {
      const fields = [addressField(family, one.address), there];
      return port === undefined
        ? element(`names${family}`, fields)
        : element(`name_ports${family}`, [...fields, ...portFields(protocol, port)]);
    }),
  );
}
