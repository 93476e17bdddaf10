import { shortId } from "../../../base/mod.ts";
import type { Row } from "../../template/mod.ts";
import type { NetworkSummary } from "../../types.ts";

export const networkHeadings: Readonly<Record<string, string>> = {
  ID: "NETWORK ID",
  Name: "NAME",
  Driver: "DRIVER",
  Scope: "SCOPE",
  IPv6: "IPV6",
  Internal: "INTERNAL",
  Labels: "LABELS",
  CreatedAt: "CREATED AT",
};

/** A network as a row of `network ls`. */
export function networkRow(network: NetworkSummary, trunc: boolean): Row {
  const labels = network.Labels ?? {};
  return {
    ID: () => (trunc ? shortId(network.Id) : network.Id),
    Name: () => network.Name,
    Driver: () => network.Driver,
    Scope: () => network.Scope,
    IPv6: () => String(network.EnableIPv6),
    Internal: () => String(network.Internal),
    Labels: () =>
      Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .sort()
        .join(","),
    Label: (key: string) => labels[key] ?? "",
    CreatedAt: () => goTime(network.Created),
  };
}

/** Go's `time.Time.String` of an RFC 3339 time in UTC. */
function goTime(text: string): string {
  return text.replace("T", " ").replace(/Z$/, " +0000 UTC");
}
