import type { PortSummary } from "../../types.ts";

/** `0.0.0.0:80->80/tcp, 9000-9002/tcp`: ports as `ps` shows them, neighbours joined. */
export function displayPorts(ports: readonly PortSummary[]): string {
  const sorted = [...ports].sort(comparePorts);
  const groups = new Map<string, { first: number; last: number }>();
  const finished: string[] = [];
  const mapped: string[] = [];
  for (const { IP, PrivatePort, PublicPort, Type } of sorted) {
    if (IP && PublicPort !== PrivatePort) {
      mapped.push(`${bracketed(IP)}:${PublicPort ?? 0}->${PrivatePort}/${Type}`);
      continue;
    }
    const key = IP ? `${bracketed(IP)}/${Type}` : Type;
    const group = groups.get(key);
    if (group && PrivatePort === group.last + 1) group.last = PrivatePort;
    else {
      if (group) finished.push(displayGroup(key, group));
      // Deleting first would change the order; a group keeps the place of its first member.
      groups.set(key, { first: PrivatePort, last: PrivatePort });
    }
  }
  for (const [key, group] of groups) finished.push(displayGroup(key, group));
  return [...finished, ...mapped].join(", ");
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

function displayGroup(key: string, { first, last }: { first: number; last: number }): string {
  const range = first === last ? String(first) : `${first}-${last}`;
  const slash = key.indexOf("/");
  return slash < 0 ? `${range}/${key}` : `${key.slice(0, slash)}:${range}->${range}/${key.slice(slash + 1)}`;
}

function comparePorts(a: PortSummary, b: PortSummary): number {
  if (a.PrivatePort !== b.PrivatePort) return a.PrivatePort - b.PrivatePort;
  if ((a.IP ?? "") !== (b.IP ?? "")) return (a.IP ?? "") < (b.IP ?? "") ? -1 : 1;
  if (a.PublicPort !== b.PublicPort) return (a.PublicPort ?? 0) - (b.PublicPort ?? 0);
  return a.Type < b.Type ? -1 : a.Type > b.Type ? 1 : 0;
}
