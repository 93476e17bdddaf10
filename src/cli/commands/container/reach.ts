import { layOut } from "../../output/columns.ts";

/** Who reaches one published port (`GET /havre/v1/containers/{id}/reach`). */
export interface PortReach {
  readonly containerPort: number;
  readonly protocol: string;
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly clients: readonly {
    readonly who: string;
    readonly interfaceName?: string;
    readonly addresses: readonly string[];
    readonly verdict: "yes" | "no" | "some";
    readonly reason: string;
  }[];
}

type Clients = PortReach["clients"][number];

/** Addresses beyond these are only counted: a host may have dozens. */
const ADDRESSES = 2;

/** A table with a row for each kind of clients; interfaces from which it is the same share one. */
export function displayReach(reach: readonly PortReach[]): string {
  const rows = reach.flatMap(({ containerPort, protocol, hostAddress, hostPort, clients }) =>
    grouped(clients).map((group, at) => [
      at === 0 ? `${containerPort}/${protocol}` : "",
      at === 0 ? (hostAddress.includes(":") ? `[${hostAddress}]:${hostPort}` : `${hostAddress}:${hostPort}`) : "",
      whoOf(group),
      shortened(group.flatMap(({ addresses }) => addresses)),
      group[0]?.verdict ?? "",
      group[0]?.reason ?? "",
    ]),
  );
  return layOut(
    [["PORT", "PUBLISHED", "WHO", "AT", "REACHES IT", "WHY"], ...rows].map((row) => row.join("\t")).join("\n"),
  );
}

function grouped(clients: readonly Clients[]): readonly (readonly Clients[])[] {
  const groups = new Map<string, Clients[]>();
  for (const one of clients) {
    const key = `${one.who} ${one.verdict} ${one.reason}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
}

function whoOf(group: readonly Clients[]): string {
  const names = group.flatMap(({ interfaceName }) => interfaceName ?? []);
  return names.length === 0 ? (group[0]?.who ?? "") : `${group[0]?.who} (${shortened(names)})`;
}

function shortened(words: readonly string[]): string {
  const more = words.length - ADDRESSES;
  return more > 1 ? `${words.slice(0, ADDRESSES).join(", ")} and ${more} more` : words.join(", ");
}
