import type { ContainerCreateRequest } from "../../spec/mod.ts";
import type { HostFacts } from "../host-facts.ts";
import { logsKeep } from "../logs/retention.ts";
import { checkConfig } from "./config.ts";
import { normaliseHostConfig } from "./defaults.ts";
import { checkEndpoints } from "./endpoints.ts";
import { checkHostConfig, checkOwnUsers } from "./host-config.ts";
import { checkLogConfig } from "./log-config.ts";
import { checkNetworkMode } from "./network.ts";
import { refuse } from "./refuse.ts";
import { checkResources } from "./resources.ts";

/** What a request is checked against. */
export interface CreateGround {
  readonly host: HostFacts;
  /** Names of the runtimes there are. */
  readonly runtimes: { has(name: string): boolean };
  readonly defaultRuntime: string;
  /** Whose user ids a container has that asks for none. */
  readonly users: "host" | "own";
}

/**
 * Checks a request to create a container as dockerd does, and fills every default in. What this host cannot do but can
 * do without is taken out with a warning. The image plays no part: see `mergeImageConfig` and `requireCommand`.
 * `invalid-argument` in Docker's words.
 */
export function validateCreate(
  request: ContainerCreateRequest,
  ground: CreateGround,
): { readonly request: ContainerCreateRequest; readonly warnings: readonly string[] } {
  const { host, runtimes, defaultRuntime, users } = ground;
  checkNetworkMode(request);
  const config = checkConfig(request.config);
  logsKeep(config.Labels);
  const warnings = [...checkHostConfig(request.hostConfig, host)];
  checkOwnUsers(request.hostConfig, users);
  checkEndpoints(request);
  const checked = checkResources(request.hostConfig, host);
  warnings.unshift(...checked.warnings);
  const { Runtime } = checked.resources;
  if (Runtime !== "" && !runtimes.has(Runtime)) throw refuse(`unknown or invalid runtime name: ${Runtime}`);
  const hostConfig = {
    ...normaliseHostConfig(checked.resources, host, defaultRuntime),
    LogConfig: checkLogConfig(checked.resources.LogConfig),
  };
  return { request: { ...request, config, hostConfig }, warnings };
}

/** A container needs something to run. `invalid-argument` in Docker's words. Call with the image's configuration merged in. */
export function requireCommand({ Entrypoint, Cmd }: ContainerCreateRequest["config"]): void {
  if ((Entrypoint ?? []).length === 0 && (Cmd ?? []).length === 0) throw refuse("no command specified");
}
