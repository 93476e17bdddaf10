import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestOf, errnoOf } from "../../base/mod.ts";
import {
  type Endpoint,
  givesNames,
  hostnameFile,
  hostsFile,
  type ResolverOverrides,
  type ResolverPlace,
  resolvConf,
} from "../../networks/mod.ts";
import type { HostConfig } from "../../spec/mod.ts";
import type { Container } from "../container.ts";
import { containerFolder, type EngineContext } from "../context.ts";
import type { LinkedNames } from "../lifecycle/links.ts";
import { getContainer } from "../lookup.ts";
import { networkModeOf } from "./mode.ts";

/** Paths on the host. */
export interface NetworkFiles {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

export interface NetworkFilesRequest {
  readonly endpoints: readonly Endpoint[];
  /** The container's durable folder. */
  readonly folder: string;
  readonly linked: LinkedNames;
}

/** Writes the files by which a container knows itself and others; with another's network it shares the other's. */
export async function writeNetworkFiles(
  context: EngineContext,
  container: Container,
  { endpoints, folder, linked }: NetworkFilesRequest,
): Promise<NetworkFiles> {
  const { config, hostConfig } = container.spec;
  if (hostConfig.NetworkMode.startsWith("container:")) {
    const donor = getContainer(context.store, hostConfig.NetworkMode.slice("container:".length));
    return filesIn(join(context.config.paths.containers, donor.id));
  }
  const files = filesIn(folder);
  const onHost = networkModeOf(context, container).kind === "host";
  const hosts = hostsFile({
    hostname: config.Hostname,
    domainname: config.Domainname,
    addresses: endpoints.flatMap(({ ipAddress, ipv6Address }) => [ipAddress, ipv6Address]).filter((one) => one !== ""),
    extraHosts: [...(hostConfig.ExtraHosts ?? []), ...linked.hosts],
    hostGateway: context.networks.get("bridge").pools[0]?.gateway ?? "",
  });
  // As Docker does: on the host's network the host's own names hold, unless more are asked for.
  const ofHost = onHost && (hostConfig.ExtraHosts ?? []).length === 0;
  const place = onHost ? ({ kind: "host" } as const) : placeOf(endpoints);
  await Promise.all([
    writeFile(files.hostname, hostnameFile(config.Hostname)),
    ofHost ? copyHostsOfHost(files.hosts) : writeFile(files.hosts, hosts),
    writeResolvConf(context, container, files.resolvConf, place),
  ]);
  return files;
}

/**
 * A running container came onto its first network with names: its resolv.conf gets to say so, in place, unless the container
 * has changed it.
 */
export async function useNameServer(
  context: EngineContext,
  container: Container,
  endpoints: readonly Endpoint[],
): Promise<void> {
  const { resolvConf: path } = filesIn(containerFolder(context, container.id));
  const [text, written] = await Promise.all([readFile(path), readFile(digestPath(path), "utf8")]);
  if (digestOf(text) === written) await writeResolvConf(context, container, path, placeOf(endpoints));
}

async function writeResolvConf(
  context: EngineContext,
  container: Container,
  path: string,
  place: ResolverPlace,
): Promise<void> {
  const host = context.networks.hostResolver(place.kind === "host");
  const text = resolvConf(host, resolverOverrides(container.spec.hostConfig), place);
  await Promise.all([writeFile(path, text), writeFile(digestPath(path), digestOf(text))]);
}

/** What a container asks for instead of the host's resolver. */
export function resolverOverrides({ Dns, DnsSearch, DnsOptions }: HostConfig): ResolverOverrides {
  return { nameservers: Dns ?? [], search: DnsSearch ?? [], options: DnsOptions ?? [] };
}

function placeOf(endpoints: readonly Endpoint[]): ResolverPlace {
  const named = endpoints.some(givesNames);
  return named ? { kind: "named", ipv6: endpoints.some(({ ipv6Address }) => ipv6Address !== "") } : { kind: "default" };
}

/** Where it is kept what was written last. */
function digestPath(path: string): string {
  return `${path}.digest`;
}

/** A host may do without the file: then nothing is named. */
async function copyHostsOfHost(target: string): Promise<void> {
  try {
    await copyFile("/etc/hosts", target);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    await writeFile(target, "");
  }
}

export function filesIn(folder: string): NetworkFiles {
  return { hosts: join(folder, "hosts"), hostname: join(folder, "hostname"), resolvConf: join(folder, "resolv.conf") };
}
