import { LABEL } from "../request/labels.ts";
import type { Service } from "../schema/service.ts";
import { type ContainerState, isRunning } from "./observed.ts";

/**
 * Whether a service's container is replaced without a gap: the new one starts and is seen to be well before the old one's
 * ports go over to it. So it is for services with a health check and a published port, unless they write to volumes,
 * where two at a time could do harm; `deploy.update_config.order` says otherwise either way.
 */
export function startsFirst(service: Service, old: ContainerState): boolean {
  const { healthcheck, ports = [], deploy } = service;
  if (!isRunning(old) || !healthcheck?.test || healthcheck.disable || healthcheck.test[0] === "NONE") return false;
  if (!ports.some(({ published }) => published) || service.network_mode !== undefined || hasFixedAddress(service))
    return false;
  const order = deploy?.update_config?.order;
  return order === undefined ? !writes(service) : order === "start-first";
}

function writes({ volumes = [], volumes_from }: Service): boolean {
  const shared = volumes.some(
    ({ type, source, read_only }) => (type === "volume" || type === "bind") && source && !read_only,
  );
  return shared || (volumes_from?.length ?? 0) > 0;
}

/** Two containers cannot have it at once. */
function hasFixedAddress({ networks = {}, mac_address }: Service): boolean {
  const fixed = Object.values(networks).some(
    (network) => network?.ipv4_address || network?.ipv6_address || network?.mac_address,
  );
  return fixed || mac_address !== undefined;
}

/** The container that another of these is in the midst of taking over from. */
export function formerOf(container: ContainerState, all: readonly ContainerState[]): ContainerState | undefined {
  const id = container.labels[LABEL.portsFrom];
  return id === undefined ? undefined : all.find((other) => other.id === id);
}
