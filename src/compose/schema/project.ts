import { anything, kept, list, map, record, type TypeOf, withShort } from "../shape/shape.ts";
import { child, isMapping, makeMapping, type Node, type Path } from "../source/node.ts";
import { fail } from "../source/problem.ts";
import { bool, integer, labels, options, text, textOrList } from "./scalars.ts";
import { NAME, service } from "./service.ts";

/** `external: {name: X}` is an old form of `external: true` and `name: X`. */
function flattenExternal(node: Node, path: Path): Node {
  const external = child(node, "external");
  if (!external || !isMapping(external.value) || !isMapping(node.value)) return node;
  const inner = child(external, "name");
  const outer = child(node, "name");
  if (inner && outer && inner.value !== outer.value)
    fail(inner.at, path, "name and external.name conflict; only use name");
  const mapping = new Map(node.value);
  mapping.set("external", { keyAt: external.at, node: { value: true, at: external.at } });
  if (inner) mapping.set("name", { keyAt: inner.at, node: inner });
  return { ...node, value: mapping };
}

const ipam = record({
  driver: text,
  config: list(
    record({
      subnet: text,
      gateway: text,
      ip_range: text,
      aux_addresses: options,
    }),
    { key: (item) => String(child(item, "subnet")?.value), mergeItems: true },
  ),
  options,
});

const network = withShort(
  record({
    name: text,
    driver: text,
    driver_opts: options,
    ipam: { shape: ipam, jsonAlways: "record" },
    external: bool,
    internal: bool,
    attachable: bool,
    labels,
    enable_ipv4: bool,
    enable_ipv6: kept(bool),
  }),
  flattenExternal,
);

const volume = withShort(
  record({ name: text, driver: text, driver_opts: options, external: bool, labels }),
  flattenExternal,
);

const fileObject = withShort(
  record({
    name: text,
    file: text,
    environment: text,
    content: text,
    external: bool,
    labels,
    driver: text,
    driver_opts: options,
    template_driver: text,
  }),
  flattenExternal,
);

const include = withShort(
  record({ path: textOrList, project_directory: text, env_file: textOrList }, { required: ["path"] }),
  (node) => (typeof node.value === "string" ? makeMapping(node.at, [["path", node]]) : node),
);

const model = record(
  { name: text, model: text, context_size: integer, runtime_flags: list(text) },
  { required: ["model"] },
);

/** A whole Compose file. Source: Compose Specification. */
export const project = record({
  version: { shape: anything, hidden: true },
  name: text,
  include: { shape: list(include), hidden: true },
  services: { shape: map("service", service, { keys: NAME }), keepsZero: true },
  models: map("model", model, { keys: NAME }),
  networks: map("network", network, { keys: NAME, nulls: true }),
  volumes: map("volume", volume, { keys: NAME, nulls: true }),
  secrets: map("secret", fileObject, { keys: NAME }),
  configs: map("config", fileObject, { keys: NAME }),
});

export type ProjectFile = TypeOf<typeof project>;
export type Network = TypeOf<typeof network>;
export type Volume = TypeOf<typeof volume>;
export type FileObject = TypeOf<typeof fileObject>;
