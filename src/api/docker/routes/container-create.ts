import { HavreError, isHavreError } from "../../../base/mod.ts";
import type { UpdateRequest } from "../../../engine/mod.ts";
import {
  type ContainerCreateRequest,
  decodeContainerCreate,
  decodeUpdate,
  type UpdateBody,
} from "../../../spec/mod.ts";
import { sendJson, sendStatus } from "../answers.ts";
import type { ApiVersion } from "../api-version.ts";
import { readJsonText } from "../body.ts";
import { adaptCreate } from "../create-versions.ts";
import { prefixed } from "../errors.ts";
import type { Exchange, Route } from "../exchange.ts";
import type { UseCases } from "../use-cases.ts";

export interface Created {
  readonly id: string;
  readonly warnings: readonly string[];
  readonly request: ContainerCreateRequest;
}

/** Makes the container that a request's body describes. */
export async function createContainer(exchange: Exchange, useCases: UseCases, cgroupVersion: 1 | 2): Promise<Created> {
  const { query, version } = exchange;
  const text = (await readJsonText(exchange.request)) ?? "";
  const { request, warnings } = adaptCreate(decodeContainerCreate(text), version, cgroupVersion);
  const name = query.optional("name");
  const platform = version.since(41) ? query.optional("platform") : undefined;
  const created = await useCases.containers.create(request, {
    ...(name === undefined ? {} : { name }),
    ...(platform === undefined ? {} : { platform }),
  });
  return { id: created.id, warnings: [...created.warnings, ...warnings], request };
}

async function create(exchange: Exchange, useCases: UseCases, cgroupVersion: 1 | 2): Promise<void> {
  const { id, warnings } = await createContainer(exchange, useCases, cgroupVersion);
  sendJson(exchange, 201, { Id: id, Warnings: warnings });
}

/** A field that is absent, null or zero means: leave it as it is. */
function changes({ resources, restartPolicy, labels }: UpdateBody, version: ApiVersion): UpdateRequest {
  const { PidsLimit, KernelMemory, ...others } = resources;
  const given = Object.entries(others).filter(([, value]) => value !== null && value !== 0 && value !== "");
  return {
    ...Object.fromEntries(given),
    // 0 and less mean no limit, so they are no absence here.
    ...(PidsLimit === null || version.before(40) ? {} : { PidsLimit: PidsLimit <= 0 ? -1 : PidsLimit }),
    ...(KernelMemory && version.before(42) ? { KernelMemory } : {}),
    ...(restartPolicy.Name === "" && restartPolicy.MaximumRetryCount === 0 ? {} : { RestartPolicy: restartPolicy }),
    ...(labels === undefined ? {} : { Labels: labels }),
  };
}

async function update(exchange: Exchange, useCases: UseCases): Promise<void> {
  const text = await readJsonText(exchange.request);
  const request = text === undefined ? {} : changes(decodeUpdate(text), exchange.version);
  const { warnings } = await useCases.containers.update(exchange.parameter("name"), request);
  sendJson(exchange, 200, { Warnings: warnings.length === 0 ? null : warnings });
}

async function rename(exchange: Exchange, useCases: UseCases): Promise<void> {
  const name = exchange.query.text("name");
  if (name === "") throw new HavreError("invalid-argument", "Neither old nor new names may be empty");
  try {
    await useCases.containers.rename(exchange.parameter("name"), name.startsWith("/") ? name : `/${name}`);
  } catch (error) {
    const isNameFault = isHavreError(error, "invalid-argument") || isHavreError(error, "conflict");
    throw isNameFault ? prefixed("Error when allocating new name", error) : error;
  }
  sendStatus(exchange, 204);
}

/** Making a container and changing what was asked of it. */
export function containerCreateRoutes(useCases: UseCases): readonly Route[] {
  const { cgroupVersion } = useCases.host.info();
  return [
    { method: "POST", path: "/containers/create", handle: (exchange) => create(exchange, useCases, cgroupVersion) },
    { method: "POST", path: "/containers/{name}/update", handle: (exchange) => update(exchange, useCases) },
    { method: "POST", path: "/containers/{name}/rename", handle: (exchange) => rename(exchange, useCases) },
  ];
}
