import { anything, kept, list, map, record, scalar, withShort } from "../shape/shape.ts";
import { isMapping, withKey } from "../source/node.ts";
import { bytes, choice, duration, float, integer, labels, options, text, texts } from "./scalars.ts";

const deviceRequest = withShort(
  record({
    capabilities: texts,
    driver: text,
    count: scalar("a number or all", (value) =>
      value === "all"
        ? -1
        : typeof value === "number"
          ? value
          : /^\d+$/.test(String(value))
            ? Number(value)
            : undefined,
    ),
    device_ids: texts,
    options,
  }),
  // All of them, when it is not said how many or which.
  (node) => {
    if (!isMapping(node.value) || node.value.has("count") || node.value.has("device_ids")) return node;
    return withKey(node, "count", { value: -1, at: node.at });
  },
);

/** `gpus: all`, or which. */
export const gpus = withShort(list(deviceRequest), (node) =>
  node.value === "all" ? { ...node, value: [{ value: new Map(), at: node.at }] } : node,
);

const update = record({
  parallelism: kept(integer),
  delay: duration,
  failure_action: text,
  monitor: duration,
  max_failure_ratio: float,
  order: choice("start-first", "stop-first"),
});

const resources = record({
  cpus: float,
  memory: bytes,
  pids: integer,
  devices: list(deviceRequest),
  generic_resources: list(record({ discrete_resource_spec: record({ kind: text, value: integer }) })),
});

/** `deploy`: how many, with which limits, restarted when, replaced how. */
export const deploy = record({
  mode: text,
  replicas: kept(integer),
  labels,
  update_config: kept(update),
  rollback_config: kept(update),
  resources: {
    shape: record({ limits: kept(resources), reservations: kept(resources) }),
    jsonAlways: "record",
  },
  restart_policy: kept(
    record({ condition: text, delay: kept(duration), max_attempts: kept(integer), window: kept(duration) }),
  ),
  placement: {
    shape: record({
      constraints: list(text),
      preferences: list(record({ spread: text })),
      max_replicas_per_node: integer,
    }),
    jsonAlways: "record",
  },
  endpoint_mode: text,
});

/** A service that something else than a container provides. */
export const provider = record({ type: text, options: map("option", anything) }, { required: ["type"] });
