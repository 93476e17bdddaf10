import { rfc3339Nano } from "../../../base/mod.ts";
import type { GraphDriver } from "../../../engine/mod.ts";
import type { Image, Images } from "../../../images/mod.ts";
import type { ExecutionConfig } from "../../../spec/mod.ts";
import type { ApiVersion } from "../api-version.ts";

/** An image's execution configuration in the form of a container's, as Docker shows it. */
function configView(config: ExecutionConfig) {
  return {
    Hostname: "",
    Domainname: "",
    User: config.User ?? "",
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...(config.ExposedPorts ? { ExposedPorts: config.ExposedPorts } : {}),
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    ...(config.Healthcheck ? { Healthcheck: config.Healthcheck } : {}),
    ...(config.ArgsEscaped ? { ArgsEscaped: true } : {}),
    Image: "",
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? "",
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? null,
    ...(config.StopSignal ? { StopSignal: config.StopSignal } : {}),
    ...(config.Shell ? { Shell: config.Shell } : {}),
  };
}

/** An entry of `GET /images/json`. `shared` and `containers`: -1 when they were not asked for. */
export function imageSummaryView(
  image: Image,
  version: ApiVersion,
  counts: { readonly shared: number; readonly containers: number },
) {
  // Before 1.43 an image without a name had one made up, which those clients know.
  const nameless = version.before(43) && image.tags.length === 0 && image.digests.length === 0;
  return {
    Containers: counts.containers,
    Created: Math.floor(image.created / 1000),
    Id: image.id,
    Labels: image.config.config?.Labels ?? null,
    ParentId: image.parent ?? "",
    RepoDigests: nameless ? ["<none>@<none>"] : image.digests,
    RepoTags: nameless ? ["<none>:<none>"] : image.tags,
    SharedSize: counts.shared,
    Size: image.size,
    ...(version.before(44) ? { VirtualSize: image.size } : {}),
  };
}

/** `GET /images/{name}/json`. */
export function imageInspectView(image: Image, graphDriver: GraphDriver, version: ApiVersion) {
  const { config } = image;
  const comment = config.comment || config.history?.at(-1)?.comment || "";
  const execution = configView(config.config ?? {});
  return {
    Id: image.id,
    RepoTags: image.tags,
    RepoDigests: image.digests,
    Parent: image.parent ?? "",
    Comment: comment,
    ...(config.created || version.before(44) ? { Created: config.created ?? rfc3339Nano(undefined) } : {}),
    ...(config.container && version.before(45) ? { Container: config.container } : {}),
    ...(version.before(45) ? { ContainerConfig: configView({}) } : {}),
    DockerVersion: config.docker_version ?? "",
    Author: config.author ?? "",
    Config: execution,
    Architecture: config.architecture,
    ...(config.variant ? { Variant: config.variant } : {}),
    Os: config.os,
    ...(config["os.version"] ? { OsVersion: config["os.version"] } : {}),
    Size: image.size,
    ...(version.before(44) ? { VirtualSize: image.size } : {}),
    GraphDriver: { Data: graphDriver.data, Name: graphDriver.name },
    RootFS: { Type: "layers", ...(config.rootfs.diff_ids.length > 0 ? { Layers: config.rootfs.diff_ids } : {}) },
    Metadata: { LastTagTime: rfc3339Nano(image.lastTagged) },
  };
}

/** An entry of `GET /images/{name}/history`. */
export function imageHistoryView({ entry, id, tags, size }: ReturnType<Images["history"]>[number]) {
  return {
    Comment: entry.comment ?? "",
    Created: entry.created === undefined ? 0 : Math.floor(Date.parse(entry.created) / 1000),
    CreatedBy: entry.created_by ?? "",
    Id: id ?? "<missing>",
    Size: size,
    Tags: tags.length === 0 ? null : tags,
  };
}
