import { HavreError, isHavreError } from "../../base/mod.ts";
import type { HostConfig } from "../../spec/mod.ts";
import { type Container, type ContainerLink, containerKind } from "../container.ts";
import type { EngineContext } from "../context.ts";
import { getContainer, hasProcess } from "../lookup.ts";
import { joinedContainer, linkEnvironment } from "../spec/mod.ts";

/** `name`, `name:alias`, or `/name:/own/alias` as inspect shows a link. */
function parseLink(text: string): { readonly name: string; readonly alias: string } {
  const [name = "", alias = name, ...more] = text.split(":");
  if (text === "") throw new HavreError("invalid-argument", "empty string specified for links");
  if (more.length > 0) throw new HavreError("invalid-argument", `bad format for links: ${text}`);
  return name.startsWith("/") ? { name: name.slice(1), alias: alias.split("/").at(-1) ?? "" } : { name, alias };
}

/** The containers that a request links to, by id. `invalid-argument` in Docker's words. */
export function resolveLinks(context: EngineContext, { Links }: HostConfig): readonly ContainerLink[] {
  return (Links ?? []).map((text) => {
    const { name, alias } = parseLink(text);
    return { containerId: linkedContainer(context, name).id, alias };
  });
}

function linkedContainer(context: EngineContext, name: string): Container {
  let container: Container;
  try {
    container = getContainer(context.store, name);
  } catch (error) {
    if (!isHavreError(error, "not-found")) throw error;
    throw new HavreError("invalid-argument", `could not get container for ${name}: ${error.message}`, { cause: error });
  }
  const { NetworkMode } = container.spec.hostConfig;
  const donor = joinedContainer(NetworkMode);
  if (donor !== undefined) return linkedContainer(context, donor);
  if (NetworkMode !== "host") return container;
  throw new HavreError(
    "invalid-argument",
    "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
  );
}

export interface LinkedNames {
  readonly environment: readonly string[];
  /** `names:address`, as extra hosts. */
  readonly hosts: readonly string[];
}

/**
 * What a container on the default bridge learns of those it links to; they must run there too. Elsewhere links mean nothing
 * (Docker's).
 */
export function linkedNames(context: EngineContext, parent: Container): LinkedNames {
  const children = (parent.spec.links ?? []).map(({ containerId, alias }) => {
    const child = context.store.view((tx) => tx.get(containerKind, containerId));
    const path = `/${parent.name}/${alias}`;
    if (child === undefined || !hasProcess(child)) {
      const name = child === undefined ? containerId : `/${child.name}`;
      throw new HavreError("internal", `Cannot link to a non running container: ${name} AS ${path}`);
    }
    const endpoint = child.status.endpoints.find(({ networkName }) => networkName === "bridge");
    if (!endpoint)
      throw new HavreError("internal", `Cannot link to /${child.name}, as it does not belong to the default network`);
    return { child, alias, path, address: endpoint.ipAddress };
  });
  return {
    environment: children.flatMap(({ child, path, address }) => linkEnvironment(path, address, child.spec.config)),
    hosts: children.map(({ child, alias, address }) => {
      const names = [...new Set([alias, child.spec.config.Hostname, child.name])];
      return `${names.join(" ")}:${address}`;
    }),
  };
}

/** Takes away the link `parent/alias`; its containers stay. */
export async function removeLink(context: EngineContext, path: string): Promise<void> {
  const [name = "", alias = ""] = path.replace(/^\//, "").split("/");
  if (alias === "") throw new HavreError("conflict", "Conflict, cannot remove the default link name of the container");
  const parent = getContainer(context.store, name);
  const left = (parent.spec.links ?? []).filter((link) => link.alias !== alias);
  if (left.length === parent.spec.links?.length || parent.spec.links === undefined)
    throw new HavreError("not-found", `No such container: ${path}`);
  await context.store.update((tx) => {
    const now = tx.get(containerKind, parent.id);
    if (now) tx.put(containerKind, { ...now, spec: { ...now.spec, links: left } });
  });
}
