import type { Route } from "../exchange.ts";
import type { UseCases } from "../use-cases.ts";
import { archiveRoutes } from "./archive.ts";
import { attachRoutes } from "./attach.ts";
import { buildRoutes } from "./build.ts";
import { buildkitRoutes } from "./buildkit.ts";
import { containerActionRoutes } from "./container-actions.ts";
import { containerCreateRoutes } from "./container-create.ts";
import { containerListRoutes } from "./container-list.ts";
import { containerOutputRoutes } from "./container-output.ts";
import { distributionRoutes } from "./distribution.ts";
import { eventRoutes } from "./events.ts";
import { execRoutes } from "./exec.ts";
import { imageTransferRoutes } from "./image-transfer.ts";
import { imageRoutes } from "./images.ts";
import { networkRoutes } from "./networks.ts";
import { swarmRoutes } from "./swarm.ts";
import { systemRoutes } from "./system.ts";
import { unservedRoutes } from "./unserved.ts";
import { volumeRoutes } from "./volumes.ts";

/** Every endpoint of the Docker Engine API. */
export function dockerRoutes(useCases: UseCases): readonly Route[] {
  return [
    ...systemRoutes(useCases),
    ...eventRoutes(useCases),
    ...containerListRoutes(useCases),
    ...containerCreateRoutes(useCases),
    ...containerActionRoutes(useCases),
    ...containerOutputRoutes(useCases),
    ...attachRoutes(useCases),
    ...execRoutes(useCases),
    ...archiveRoutes(useCases),
    ...imageTransferRoutes(useCases),
    ...distributionRoutes(useCases),
    ...buildRoutes(useCases),
    ...buildkitRoutes(useCases),
    ...imageRoutes(useCases),
    ...networkRoutes(useCases),
    ...volumeRoutes(useCases),
    ...swarmRoutes(),
    ...unservedRoutes(),
  ];
}
