import { isHavreError } from "../../../base/mod.ts";
import { LABEL, type Project, waitFor } from "../../../compose/mod.ts";
import type { Context } from "../../context.ts";
import type { ContainerSummary, PortSummary } from "../../types.ts";
import type { ClientEngine } from "./engine.ts";

/** Ports inside that speak HTTP by custom. */
const HTTP = new Set([80, 3000, 5000, 8000, 8080, 8081, 8888]);
const HTTPS = new Set([443, 8443]);

/**
 * Says where the services that publish ports are reached, once those with a health check are well: the last thing one
 * wants to know of `up`. One that is not well does not come between: it is said, and the rest goes on.
 */
export async function tellAddresses(
  context: Context,
  engine: ClientEngine,
  project: Pick<Project, "name" | "services">,
  signal: AbortSignal,
): Promise<void> {
  if (!Object.values(project.services).some(({ ports = [] }) => ports.length > 0)) return;
  const filters = JSON.stringify({ label: [`${LABEL.project}=${project.name}`] });
  const containers = await engine.client.json<ContainerSummary[]>("GET", "/containers/json", { query: { filters } });
  const reached = containers.filter(({ Ports }) => (Ports ?? []).some(({ PublicPort }) => PublicPort));
  for (const { Id, Labels, Ports, Status } of reached) {
    const service = Labels?.[LABEL.service] ?? "";
    try {
      // What is known to be well, or is never asked, need not be waited for.
      if (/\((?:unhealthy|health: starting)\)/.test(Status))
        await waitFor({ engine, ids: [Id], condition: "running_or_healthy", signal, onDetail: () => {} });
    } catch (error) {
      if (!isHavreError(error, "failed-precondition")) throw error;
      context.err.line(`${service} is not well: ${error.message}`);
      continue;
    }
    for (const address of addressesOf(Ports ?? [])) context.err.line(`${service} is at ${address}`);
  }
}

/** Each once, though it stands for IPv4 and IPv6. */
export function addressesOf(ports: readonly PortSummary[]): readonly string[] {
  const addresses = ports.flatMap(({ IP = "", PublicPort, PrivatePort, Type }) => {
    if (!PublicPort) return [];
    const host = IP === "" || IP === "0.0.0.0" || IP === "::" ? "127.0.0.1" : IP.includes(":") ? `[${IP}]` : IP;
    if (Type !== "tcp") return [`${host}:${PublicPort}/${Type}`];
    const scheme = HTTP.has(PrivatePort) ? "http://" : HTTPS.has(PrivatePort) ? "https://" : "";
    return [`${scheme}${host}:${PublicPort}`];
  });
  return [...new Set(addresses)];
}
