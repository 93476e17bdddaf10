import { statSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { HavreError, VERSION } from "../../../base/mod.ts";
import { imageOf, LABEL, type Project, type Service, secretContent, serviceOfContext } from "../../../compose/mod.ts";
import type { Context } from "../../context.ts";
import { lendAgents } from "../image/build/agents.ts";
import { isRemoteContext, type NamedContext, namedContext, packChanged } from "../image/build/contexts.ts";
import type { NativeRequest } from "../image/build/native.ts";
import { cacheOption, findDockerfile, type GivenDockerfile, registryHeaders } from "../image/build/request.ts";

type Build = NonNullable<Service["build"]>;

/** A request to the builder, and what is lent to it meanwhile. */
export interface ServiceBuild extends NativeRequest, AsyncDisposable {}

export interface BuildWishes {
  /** `--ssh`, beside the service's own. */
  readonly ssh: readonly string[];
  /** Every platform of the service, where it is not only to run here. */
  readonly allPlatforms: boolean;
}

/** A service's `build` as a request to the builder. `not-found` for a context or a Dockerfile that is not there. */
export async function serviceBuild(
  context: Context,
  project: Project,
  name: string,
  service: Service,
  wishes: BuildWishes,
): Promise<ServiceBuild> {
  const build = service.build ?? {};
  const place = build.context ?? ".";
  const folder = isRemoteContext(place) ? undefined : place;
  if (folder !== undefined && !statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new HavreError("not-found", `unable to prepare context: path ${JSON.stringify(folder)} not found`);
  const file = dockerfileOf(folder, build);
  const named = Object.entries(build.additional_contexts ?? {}).map(([key, value]) =>
    serviceContext(project, key, value),
  );
  const { contexts, body, keptContext } = await packChanged(
    await context.client(),
    folder === undefined ? undefined : { folder, dockerfile: file.inContext ? file.name : "" },
    named,
  );
  const platform = platformOf(service, wishes.allPlatforms);
  const agents = await lendAgents(context, [...(build.ssh ?? []), ...wishes.ssh]);
  const request = {
    dockerfile: file.name,
    ...(file.inContext ? {} : { dockerfileText: file.text }),
    ...(folder === undefined ? { remote: place } : {}),
    tags: [imageOf(project, name, service), ...(build.tags ?? [])],
    ...(build.target === undefined ? {} : { target: build.target }),
    ...(platform === undefined ? {} : { platform }),
    buildArgs: build.args ?? {},
    labels: { ...build.labels, [LABEL.project]: project.name, [LABEL.service]: name, [LABEL.version]: VERSION },
    noCache: build.no_cache ?? false,
    pull: build.pull ?? false,
    network: networkOf(build),
    extraHosts: (build.extra_hosts ?? []).map((line) => line.replace("=", ":")),
    limits: limitsOf(build),
    contexts,
    keptContext,
    secrets: secretsOf(project, build),
    agents: agents.sockets,
    allow: [...(build.privileged ? ["security.insecure"] : []), ...(build.entitlements ?? [])],
  };
  const headers = await registryHeaders(context.env, file.text);
  const cacheFrom = (build.cache_from ?? []).map(cacheOption);
  const cacheTo = (build.cache_to ?? []).map(cacheOption);
  return { request, cacheFrom, cacheTo, body, headers, [Symbol.asyncDispose]: () => agents[Symbol.asyncDispose]() };
}

/** Where the Dockerfile is; what stands in the Compose file, or outside the context, is sent as a text. */
function dockerfileOf(folder: string | undefined, { dockerfile, dockerfile_inline: inline }: Build): GivenDockerfile {
  if (inline !== undefined) return { name: "Dockerfile", text: inline, inContext: false };
  if (folder === undefined) return { name: dockerfile ?? "Dockerfile", text: "", inContext: true };
  const path = dockerfile === undefined || isAbsolute(dockerfile) ? dockerfile : resolve(folder, dockerfile);
  // The usual name may be written in small letters.
  return findDockerfile(folder, path === resolve(folder, "Dockerfile") ? "" : (path ?? ""));
}

/** `service:NAME` means the image of another service. */
function serviceContext(project: Project, name: string, value: string): NamedContext {
  const other = serviceOfContext(value);
  if (other === undefined) return namedContext(name, value);
  const service = project.services[other] ?? project.inactive[other];
  if (!service) throw new HavreError("not-found", `build context ${name}: no such service: ${other}`);
  return { name, kind: "image", reference: imageOf(project, other, service) };
}

/** undefined: this machine's. What is to run here is made for it, where it is among those listed. */
function platformOf({ platform, build }: Service, all: boolean): string | undefined {
  const listed = build?.platforms ?? [];
  if (all && listed.length > 1) return listed.join(",");
  if (platform !== undefined) return platform;
  const own = `linux/${process.arch === "x64" ? "amd64" : process.arch}`;
  return listed.length === 0 || listed.includes(own) ? undefined : listed[0];
}

function networkOf({ network }: Build): string {
  if (network === undefined || network === "default") return "bridge";
  if (network === "none" || network === "host") return network;
  throw new HavreError("invalid-argument", `network mode ${JSON.stringify(network)} not supported by the builder`, {
    hint: "none, host or default",
  });
}

function limitsOf({ shm_size, ulimits = {} }: Build): object {
  return {
    ...(shm_size === undefined ? {} : { shmSize: shm_size }),
    ulimits: Object.entries(ulimits).map(([name, { single = 0, soft = single, hard = single }]) => ({
      name,
      soft,
      hard,
    })),
  };
}

function secretsOf(project: Project, build: Build): Readonly<Record<string, string>> {
  const uses = build.secrets ?? [];
  return Object.fromEntries(
    uses.map(({ source = "", target = source }) => [target, secretContent(project, source).toString("base64")]),
  );
}
