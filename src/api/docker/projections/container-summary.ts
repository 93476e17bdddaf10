import type { Container } from "../../../engine/mod.ts";
import type { ApiVersion } from "../api-version.ts";
import { commandText } from "./command.ts";
import { statusText } from "./container-status.ts";
import { type NetworkIds, networksOf } from "./endpoint.ts";
import { mountPointView } from "./mount-point.ts";
import { portsOf } from "./ports.ts";

/** Bytes of a container's own layer, and of all that it sees. */
export interface Sizes {
  readonly writable: number;
  readonly root: number;
}

/** What an entry tells beside the container itself. */
export interface Surroundings {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly networkIds: NetworkIds;
  /** The image by the name it was asked for while that still means the same image, else by id. */
  shownImage(container: Container): string;
  /** `/parent/alias` of the links that lead to it. */
  linkNames(container: Container): readonly string[];
}

/** An entry of `GET /containers/json`. */
export function containerSummaryView(
  container: Container,
  surroundings: Surroundings,
  version: ApiVersion,
  sizes?: Sizes,
) {
  const { id, name, created, spec, status } = container;
  return {
    Id: id,
    Names: [`/${name}`, ...surroundings.linkNames(container)],
    Image: surroundings.shownImage(container),
    ImageID: spec.imageId ?? "",
    Command: commandText(spec.config),
    Created: Math.floor(created / 1000),
    Ports: portsOf(container),
    ...(sizes?.writable ? { SizeRw: sizes.writable } : {}),
    ...(sizes?.root ? { SizeRootFs: sizes.root } : {}),
    Labels: spec.config.Labels,
    State: status.state,
    Status: statusText(status, surroundings.now),
    HostConfig: {
      NetworkMode: spec.hostConfig.NetworkMode,
      ...(version.since(46) && spec.hostConfig.Annotations ? { Annotations: spec.hostConfig.Annotations } : {}),
    },
    NetworkSettings: { Networks: networksOf(container, surroundings.networkIds) },
    Mounts: spec.mounts.map(mountPointView),
  };
}
