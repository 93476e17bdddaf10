import { list, map, record, scalar, withShort } from "../shape/shape.ts";
import { isList, isMapping, makeMapping, type Node, type Path } from "../source/node.ts";
import { fail } from "../source/problem.ts";
import { bytes, integer, text } from "./scalars.ts";

/** Lines for /etc/hosts as `NAME=ADDRESS`; also read as `NAME:ADDRESS` and as a mapping. */
export const hosts = withShort(
  list(
    scalar("NAME=ADDRESS", (value) => (typeof value === "string" ? value : undefined)),
    {
      key: (item) => String(item.value),
      sorted: true,
    },
  ),
  (node, path) => {
    const { value } = node;
    if (isMapping(value)) {
      const items = [...value].flatMap(([name, { node: inner }]) =>
        (isList(inner.value) ? inner.value : [inner]).map((address) => hostLine(name, address)),
      );
      return { ...node, value: items };
    }
    if (!isList(value)) return node;
    return { ...node, value: value.map((item, index) => parseLine(item, [...path, `[${index}]`])) };
  },
);

function parseLine(item: Node, path: Path): Node {
  const [, name, address] = /^([^=:]+)[=:](.*)$/.exec(String(item.value)) ?? [];
  if (name === undefined || address === undefined)
    fail(item.at, path, `invalid additional host, missing IP: ${String(item.value)}`, "Write NAME=ADDRESS");
  return hostLine(name, { value: address, at: item.at });
}

function hostLine(name: string, { value, at }: Node): Node {
  return { value: `${name}=${String(value ?? "").replace(/^\[(.+)\]$/, "$1")}`, at };
}

/** One number for both limits, printed as such, or both. */
const ulimit = withShort(
  record(
    {
      single: integer,
      soft: { shape: integer, keepsZero: "yaml" },
      hard: { shape: integer, keepsZero: "yaml" },
    },
    { open: false, unwrap: "single", mergeIf: () => false },
  ),
  (node, path) => {
    if (isMapping(node.value)) return node;
    const isNumber = typeof node.value === "number" || /^-?\d+$/.test(String(node.value));
    if (!isNumber) fail(node.at, path, "must be a number, or soft and hard", "1024, or {soft: 1024, hard: 2048}");
    // None at all is no one number: Docker prints it as both.
    return makeMapping(
      node.at,
      Number(node.value) === 0
        ? [
            ["soft", node],
            ["hard", node],
          ]
        : [["single", node]],
    );
  },
);
export const ulimits = map("limit", ulimit);

const throttles = list(
  record({ path: { shape: text, json: "Path" }, rate: { shape: bytes, json: "Rate", keepsZero: true } }),
);

/** Limits of block devices. */
export const blockLimits = record({
  weight: integer,
  weight_device: list(record({ path: { shape: text, json: "Path" }, weight: { shape: integer, json: "Weight" } })),
  device_read_bps: throttles,
  device_read_iops: throttles,
  device_write_bps: throttles,
  device_write_iops: throttles,
});
