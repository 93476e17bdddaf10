import { existsSync, readFileSync, statSync } from "node:fs";
import { isAbsolute, relative, resolve } from "node:path";
import { HavreError, VERSION } from "../../../base/mod.ts";
import type { Query } from "../../../client/mod.ts";
import { LABEL, type Service } from "../../../compose/mod.ts";
import { packContext } from "../image/build/request.ts";

export interface BuildRequest {
  readonly query: Query;
  /** The context as an archive; none for one that the daemon fetches itself. */
  readonly body: AsyncIterable<Uint8Array> | undefined;
}

/** Names a Dockerfile that is not in the context. */
const OWN_NAME = ".dockerfile.from-compose";

/** A service's `build` as a request to the builder (Docker API `ImageBuild`). `not-found` for a context that is not there. */
export function buildRequest(name: string, image: string, service: Service, project: string): BuildRequest {
  const build = service.build ?? {};
  refuse(name, build);
  const context = build.context ?? ".";
  const isFolder = isAbsolute(context);
  if (isFolder && !statSync(context, { throwIfNoEntry: false })?.isDirectory())
    throw new HavreError("not-found", `service ${name}: unable to prepare context: path "${context}" not found`);
  const file = isFolder ? placeDockerfile(name, context, build) : { name: build.dockerfile ?? "", added: [] };
  const labels = { ...build.labels, [LABEL.project]: project, [LABEL.service]: name, [LABEL.version]: VERSION };
  const ulimits = Object.entries(build.ulimits ?? {}).map(([Name, { single, soft, hard }]) => ({
    Name,
    Soft: soft ?? single,
    Hard: hard ?? single,
  }));
  const query: Query = {
    t: [image, ...(build.tags ?? [])],
    dockerfile: file.name || undefined,
    remote: isFolder ? undefined : context,
    buildargs: JSON.stringify(build.args ?? {}),
    labels: JSON.stringify(labels),
    target: build.target,
    nocache: build.no_cache || undefined,
    pull: build.pull || undefined,
    networkmode: build.network,
    extrahosts: (build.extra_hosts ?? []).map((line) => line.replace("=", ":")),
    platform: service.platform ?? build.platforms?.[0],
    shmsize: build.shm_size,
    ulimits: ulimits.length > 0 ? JSON.stringify(ulimits) : undefined,
    cachefrom: build.cache_from ? JSON.stringify(build.cache_from) : undefined,
  };
  return { query, body: isFolder ? packContext(context, file.name, file.added) : undefined };
}

interface PlacedDockerfile {
  readonly name: string;
  readonly added: readonly { readonly name: string; readonly text: string }[];
}

/** Where the Dockerfile is in the context; one from elsewhere is added to it. */
function placeDockerfile(service: string, context: string, build: NonNullable<Service["build"]>): PlacedDockerfile {
  const { dockerfile = "Dockerfile", dockerfile_inline: inline } = build;
  if (inline !== undefined) return { name: OWN_NAME, added: [{ name: OWN_NAME, text: inline }] };
  const path = resolve(context, dockerfile);
  if (!existsSync(path))
    throw new HavreError(
      "not-found",
      `service ${service}: failed to read dockerfile: open ${path}: no such file or directory`,
    );
  const inside = relative(context, path);
  if (!inside.startsWith("..")) return { name: inside, added: [] };
  return { name: OWN_NAME, added: [{ name: OWN_NAME, text: readFileSync(path, "utf8") }] };
}

/** What this way of building has no word for is refused, rather than left out in silence. */
function refuse(name: string, build: NonNullable<Service["build"]>): void {
  const words = (["secrets", "ssh", "additional_contexts", "entitlements"] as const).filter((key) => {
    const value = build[key];
    return value !== undefined && Object.keys(value).length > 0;
  });
  if (words.length > 0)
    throw new HavreError("not-implemented", `service ${name}: build.${words[0]} is not served yet`, {
      hint: "docker compose build serves it, against the same daemon",
    });
}
