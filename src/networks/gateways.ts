/** A network that a container is on, with its routers. */
export interface GatewayCandidate {
  readonly name: string;
  readonly priority: number;
  readonly gateways: readonly Uint8Array[];
}

/**
 * The routers of a container's default routes, one of each family at most: those of the network with the highest
 * priority, among equals the first by name (Docker's), that has one.
 */
export function chooseGateways(candidates: readonly GatewayCandidate[]): readonly Uint8Array[] {
  const ordered = [...candidates].sort(
    (one, other) => other.priority - one.priority || (one.name < other.name ? -1 : 1),
  );
  const all = ordered.flatMap(({ gateways }) => gateways);
  return [4, 16].flatMap((length) => all.find(({ byteLength }) => byteLength === length) ?? []);
}
