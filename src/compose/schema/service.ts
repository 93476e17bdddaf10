import { kept, list, map, record, type TypeOf, withShort } from "../shape/shape.ts";
import { child, isMapping, makeMapping, type Node } from "../source/node.ts";
import { build, develop, lifecycleHook } from "./build.ts";
import { deploy, gpus, provider } from "./deploy.ts";
import { blockLimits, hosts, ulimits } from "./host-settings.ts";
import { configUses, mounts, secretUses } from "./mounts.ts";
import { ports } from "./ports.ts";
import {
  bool,
  bytes,
  choice,
  command,
  duration,
  environment,
  float,
  integer,
  labels,
  options,
  sameText,
  text,
  textOrList,
  textOrNumber,
  texts,
} from "./scalars.ts";

/** Names of things in a file. */
export const NAME = /^[a-zA-Z0-9._-]+$/;

/** A list of names as a mapping of them to nothing, or to what `value` makes. */
const named = (value: (item: Node) => Node | null) => (node: Node) => {
  if (!Array.isArray(node.value)) return node;
  return makeMapping(
    node.at,
    (node.value as readonly Node[]).map((item) => [String(item.value), value(item)]),
  );
};

const dependency = withShort(
  record({
    condition: choice("service_started", "service_healthy", "service_completed_successfully"),
    restart: bool,
    required: kept(bool),
  }),
  (node) => {
    const given = isMapping(node.value) ? node.value : [];
    const defaults = makeMapping(node.at, [
      ["condition", "service_started"],
      ["required", true],
    ]);
    return { ...node, value: new Map([...(isMapping(defaults.value) ? defaults.value : []), ...given]) };
  },
);

const healthcheck = record({
  test: withShort(list(text, { merge: "replace" }), (node) =>
    typeof node.value === "string"
      ? { ...node, value: ["CMD-SHELL", node.value].map((value) => ({ value, at: node.at })) }
      : node,
  ),
  timeout: kept(duration),
  interval: kept(duration),
  retries: kept(integer),
  start_period: kept(duration),
  start_interval: kept(duration),
  disable: bool,
});

const logging = record(
  { driver: text, options },
  {
    // Options of another driver say nothing of this one.
    mergeIf: (base, over) => {
      const [before, after] = [child(base, "driver")?.value, child(over, "driver")?.value];
      return before === undefined || after === undefined || before === after;
    },
  },
);

/** What Havre grants a service, and what it denies unless that is asked for. */
const policy = record({ profile: text, grants: textOrList, egress: textOrList });

const serviceNetwork = record({
  priority: integer,
  gw_priority: integer,
  aliases: texts,
  interface_name: text,
  ipv4_address: text,
  ipv6_address: text,
  link_local_ips: texts,
  mac_address: text,
  driver_opts: options,
});

const envFile = withShort(record({ path: text, required: kept(bool), format: text }, { required: ["path"] }), (node) =>
  typeof node.value === "string" ? makeMapping(node.at, [["path", node]]) : node,
);
const envFileKey = (item: Node): string => String(child(item, "path")?.value);

const device = withShort(
  record({ source: text, target: text, permissions: text }, { required: ["source"] }),
  (node) => {
    if (typeof node.value !== "string") return node;
    const [source = "", target = source, permissions = "rwm"] = node.value.split(":");
    return makeMapping(node.at, [
      ["source", source],
      ["target", target],
      ["permissions", permissions],
    ]);
  },
);

/**
 * A service, in the order Compose prints it and takes its configuration's hash of it. Source: Compose Specification,
 * Services; the order is that of docker compose.
 */
export const service = record(
  {
    profiles: texts,
    annotations: labels,
    attach: kept(bool),
    build: kept(build),
    develop: kept(develop),
    blkio_config: kept(blockLimits),
    cap_add: list(text, { key: sameText }),
    cap_drop: list(text, { key: sameText }),
    cgroup_parent: text,
    cgroup: choice("host", "private"),
    cpu_count: integer,
    cpu_percent: float,
    cpu_period: integer,
    cpu_quota: integer,
    cpu_rt_period: integer,
    cpu_rt_runtime: integer,
    cpus: float,
    cpuset: text,
    cpu_shares: integer,
    command: { shape: command, keepsZero: true, jsonAlways: null },
    configs: configUses,
    container_name: text,
    credential_spec: kept(record({ config: text, file: text, registry: text })),
    depends_on: withShort(
      map("service", dependency, { keys: NAME }),
      named(() => null),
    ),
    deploy: kept(deploy),
    device_cgroup_rules: texts,
    devices: list(device, { key: (item) => String(child(item, "target")?.value) }),
    dns: textOrList,
    dns_opt: texts,
    dns_search: textOrList,
    domainname: text,
    entrypoint: { shape: command, keepsZero: true, jsonAlways: null },
    environment,
    env_file: withShort(list(envFile, { key: envFileKey }), (node) =>
      typeof node.value === "string" ? { ...node, value: [node] } : node,
    ),
    expose: list(textOrNumber, { key: sameText }),
    extends: {
      shape: withShort(record({ file: text, service: text }, { required: ["service"] }), (node) =>
        typeof node.value === "string" ? makeMapping(node.at, [["service", node]]) : node,
      ),
      hidden: true,
    },
    external_links: texts,
    extra_hosts: hosts,
    group_add: list(textOrNumber),
    gpus,
    hostname: text,
    healthcheck: kept(healthcheck),
    image: text,
    init: kept(bool),
    ipc: text,
    isolation: text,
    labels,
    label_file: textOrList,
    links: texts,
    logging: kept(logging),
    mem_limit: bytes,
    mem_reservation: bytes,
    memswap_limit: bytes,
    mem_swappiness: bytes,
    mac_address: text,
    models: withShort(
      map("model", record({ endpoint_var: text, model_var: text }), { keys: NAME, nulls: true }),
      named(() => null),
    ),
    network_mode: text,
    networks: withShort(
      map("network", serviceNetwork, { keys: NAME, nulls: true }),
      named(() => null),
    ),
    oom_kill_disable: bool,
    oom_score_adj: integer,
    pid: text,
    pids_limit: integer,
    platform: text,
    ports,
    privileged: bool,
    provider,
    pull_policy: text,
    pull_refresh_after: text,
    read_only: bool,
    restart: text,
    runtime: text,
    scale: kept(integer),
    secrets: secretUses,
    security_opt: texts,
    shm_size: bytes,
    stdin_open: bool,
    stop_grace_period: kept(duration),
    stop_signal: text,
    storage_opt: options,
    sysctls: labels,
    tmpfs: textOrList,
    tty: bool,
    ulimits,
    use_api_socket: bool,
    user: text,
    userns_mode: text,
    uts: text,
    volumes: mounts,
    volumes_from: texts,
    working_dir: text,
    post_start: list(lifecycleHook),
    pre_stop: list(lifecycleHook),
    "x-havre": policy,
  },
  {},
);

export type Service = TypeOf<typeof service>;
