import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { HavreError } from "../../base/mod.ts";
import type { Project } from "../load/model.ts";
import type { Service } from "../schema/service.ts";
import { containerLabels, type Labels } from "./labels.ts";
import { type Inherited, mountRequest } from "./mounts.ts";
import { containerName, imageOf, networksByPriority } from "./names.ts";
import { resources, restartPolicy } from "./resources.ts";

export type Body = Readonly<Record<string, unknown>>;

export interface ContainerSpec {
  readonly project: Project;
  readonly name: string;
  /** References to other services' containers resolved. */
  readonly service: Service;
  readonly number: number;
  readonly imageId: string;
  readonly inherited: readonly Inherited[];
  /** Staged configs and secrets: `HOST:CONTAINER:ro`. */
  readonly fileBinds: readonly string[];
  readonly extraLabels?: Labels;
  /** Names of containers it links to. */
  readonly links: readonly string[];
}

/** The body of `POST /containers/create` for one container of a service (Docker API `ContainerCreate`). */
export function containerRequest(spec: ContainerSpec): Body {
  const { project, name, service, extraLabels } = spec;
  const labels = containerLabels(spec);
  return {
    Hostname: service.hostname ?? "",
    Domainname: service.domainname ?? "",
    User: service.user ?? "",
    ExposedPorts: exposedPorts(service),
    Tty: service.tty ?? false,
    OpenStdin: service.stdin_open ?? false,
    AttachStdout: true,
    AttachStderr: true,
    Cmd: service.command ?? null,
    Image: imageOf(project, name, service),
    WorkingDir: service.working_dir ?? "",
    Entrypoint: service.entrypoint ?? null,
    Labels: { ...labels, ...extraLabels },
    Env: environment(service),
    Volumes: anonymousVolumes(service, spec.inherited),
    ...(service.stop_signal === undefined ? {} : { StopSignal: service.stop_signal }),
    ...(service.stop_grace_period === undefined ? {} : { StopTimeout: Math.ceil(service.stop_grace_period / 1e9) }),
    ...(service.healthcheck ? { Healthcheck: healthcheck(service.healthcheck) } : {}),
    HostConfig: hostConfig(spec),
    ...networking(spec),
  };
}

function environment({ environment = {} }: Service): string[] {
  return Object.entries(environment).map(([name, value]) => (value === null ? name : `${name}=${value}`));
}

function anonymousVolumes({ volumes = [] }: Service, inherited: readonly Inherited[]): Body {
  const fresh = volumes.filter(
    ({ type, source, target }) => type === "volume" && !source && !inherited.some((left) => left.target === target),
  );
  return Object.fromEntries(fresh.map(({ target = "" }) => [target, {}]));
}

function healthcheck(check: NonNullable<Service["healthcheck"]>): Body {
  if (check.disable) return { Test: ["NONE"] };
  return {
    ...(check.test ? { Test: check.test } : {}),
    Interval: check.interval ?? 0,
    Timeout: check.timeout ?? 0,
    StartPeriod: check.start_period ?? 0,
    StartInterval: check.start_interval ?? 0,
    Retries: check.retries ?? 0,
  };
}

function exposedPorts({ expose = [], ports = [] }: Service): Body {
  const exposed = expose.flatMap((one) => {
    const [range = "", protocol = "tcp"] = one.split("/");
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
  });
  const published = ports.map(({ target, protocol = "tcp" }) => `${target}/${protocol}`);
  return Object.fromEntries([...exposed, ...published].map((port) => [port, {}]));
}

function portBindings({ ports = [] }: Service): Body {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { target, protocol = "tcp", host_ip = "", published = "" } of ports) {
    const key = `${target}/${protocol}`;
    bindings[key] = [...(bindings[key] ?? []), { HostIp: host_ip, HostPort: published }];
  }
  return bindings;
}

function hostConfig(spec: ContainerSpec): Body {
  const { project, service, inherited, fileBinds } = spec;
  const { binds, mounts } = mountRequest(project, withoutAnonymous(service, inherited), inherited);
  const security = securityOptions(service, project.directory);
  return {
    Binds: [...binds, ...fileBinds],
    Mounts: mounts,
    CapAdd: service.cap_add ?? [],
    CapDrop: service.cap_drop ?? [],
    NetworkMode: networkMode(project, service),
    ...(service.init === undefined ? {} : { Init: service.init }),
    IpcMode: service.ipc ?? "",
    CgroupnsMode: service.cgroup ?? "",
    PidMode: service.pid ?? "",
    UTSMode: service.uts ?? "",
    UsernsMode: service.userns_mode ?? "",
    ReadonlyRootfs: service.read_only ?? false,
    RestartPolicy: restartPolicy(service),
    ...(service.shm_size === undefined ? {} : { ShmSize: service.shm_size }),
    ...(service.sysctls ? { Sysctls: service.sysctls } : {}),
    ...(service.annotations ? { Annotations: service.annotations } : {}),
    PortBindings: portBindings(service),
    VolumesFrom: service.volumes_from ?? [],
    Dns: service.dns ?? [],
    DnsSearch: service.dns_search ?? [],
    DnsOptions: service.dns_opt ?? [],
    ExtraHosts: (service.extra_hosts ?? []).map((line) => line.replace("=", ":")),
    SecurityOpt: security.options,
    ...(security.unconfined ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
    ...(service.storage_opt ? { StorageOpt: service.storage_opt } : {}),
    Privileged: service.privileged ?? false,
    Tmpfs: Object.fromEntries((service.tmpfs ?? []).map((line) => line.split(/:(.*)/s, 2).concat("").slice(0, 2))),
    ...(service.runtime === undefined ? {} : { Runtime: service.runtime }),
    ...(service.logging
      ? { LogConfig: { Type: service.logging.driver ?? "", Config: service.logging.options ?? {} } }
      : {}),
    GroupAdd: service.group_add ?? [],
    OomScoreAdj: service.oom_score_adj ?? 0,
    ...resources(service),
  };
}

/** New anonymous volumes are asked for by `Volumes`; those taken over are mounts. */
function withoutAnonymous(service: Service, inherited: readonly Inherited[]): Service {
  const volumes = (service.volumes ?? []).filter(
    ({ type, source, target }) => type !== "volume" || source || inherited.some((left) => left.target === target),
  );
  return { ...service, volumes };
}

function networkMode(project: Project, service: Service): string {
  if (service.network_mode !== undefined) return service.network_mode;
  const [first] = networksByPriority(service);
  return first === undefined ? "none" : (project.networks[first]?.name ?? first);
}

function networking({ project, name, service, number, links }: ContainerSpec): Body {
  if (service.network_mode !== undefined) return {};
  const own = containerName(project, name, service, number);
  const ordered = networksByPriority(service);
  const endpoints = ordered.map((key, index) => {
    const config = service.networks?.[key] ?? {};
    const mac = config.mac_address ?? (index === 0 ? service.mac_address : undefined);
    return [
      project.networks[key]?.name ?? key,
      {
        Aliases: [own, name, ...(config.aliases ?? [])],
        ...(links.length > 0 || service.external_links ? { Links: [...links, ...(service.external_links ?? [])] } : {}),
        ...(config.ipv4_address || config.ipv6_address || config.link_local_ips
          ? {
              IPAMConfig: {
                IPv4Address: config.ipv4_address ?? "",
                IPv6Address: config.ipv6_address ?? "",
                LinkLocalIPs: config.link_local_ips ?? [],
              },
            }
          : {}),
        ...(mac === undefined ? {} : { MacAddress: mac }),
        ...(config.driver_opts ? { DriverOpts: config.driver_opts } : {}),
        ...(config.gw_priority ? { GwPriority: config.gw_priority } : {}),
      },
    ];
  });
  return { NetworkingConfig: { EndpointsConfig: Object.fromEntries(endpoints) } };
}

function securityOptions({ security_opt = [] }: Service, folder: string): { options: string[]; unconfined: boolean } {
  const unconfined = security_opt.includes("systempaths=unconfined");
  const options = security_opt
    .filter((option) => option !== "systempaths=unconfined")
    .map((option) => {
      const path = /^seccomp[=:](.+)$/.exec(option)?.[1];
      if (path === undefined || path === "unconfined" || path === "builtin") return option;
      return `seccomp=${readProfile(resolve(folder, path))}`;
    });
  return { options, unconfined };
}

function readProfile(path: string): string {
  try {
    return JSON.stringify(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new HavreError("invalid-argument", `opening seccomp profile (${path}) failed: ${why}`, { cause: error });
  }
}
