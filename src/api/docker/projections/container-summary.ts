import type { Container } from "../../../engine/mod.ts";
import { commandText } from "./command.ts";
import { statusText } from "./container-status.ts";
import { networksOf } from "./endpoint.ts";
import { mountPointView } from "./mount-point.ts";
import { portsOf } from "./ports.ts";

/** Bytes of a container's own layer, and of all that it sees. */
export interface Sizes {
  readonly writable: number;
  readonly root: number;
}

/** An entry of `GET /containers/json`. */
export function containerSummaryView(container: Container, shownImage: string, now: number, sizes?: Sizes) {
  const { id, name, created, spec, status } = container;
  return {
    Id: id,
    Names: [`/${name}`],
    Image: shownImage,
    ImageID: spec.imageId ?? "",
    Command: commandText(spec.config),
    Created: Math.floor(created / 1000),
    Ports: portsOf(container),
    ...(sizes?.writable ? { SizeRw: sizes.writable } : {}),
    ...(sizes?.root ? { SizeRootFs: sizes.root } : {}),
    Labels: spec.config.Labels,
    State: status.state,
    Status: statusText(status, now),
    HostConfig: { NetworkMode: spec.hostConfig.NetworkMode },
    NetworkSettings: { Networks: networksOf(container) },
    Mounts: spec.mounts.map(mountPointView),
  };
}
