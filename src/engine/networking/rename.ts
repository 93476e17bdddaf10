import type { Container } from "../container.ts";
import { type EngineContext, setStatus } from "../context.ts";
import { hasProcess } from "../lookup.ts";
import { dnsNames } from "./mode.ts";

/** Others find a running container by its new name at once. Call with its lock held. */
export async function renameOnNetworks(context: EngineContext, container: Container): Promise<void> {
  if (!hasProcess(container) || container.status.endpoints.length === 0) return;
  const endpoints = await context.networks.setNames(container.id, ({ dnsNames: former, aliases }) =>
    former.length === 0 ? [] : dnsNames(container, aliases),
  );
  await setStatus(context, container.id, { endpoints });
}
