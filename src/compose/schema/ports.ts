import { ipVersion } from "../../spec/mod.ts";
import { list, record, scalar, withShort } from "../shape/shape.ts";
import { isMapping, makeMapping, type Node, type Path, type Scalar } from "../source/node.ts";
import { fail } from "../source/problem.ts";
import { integer, text, textOrNumber } from "./scalars.ts";

const port = record({
  name: text,
  mode: text,
  host_ip: text,
  target: scalar("a port", (value) => {
    const number = integer.kind === "scalar" ? integer.parse(value) : undefined;
    return typeof number === "number" && number > 0 && number <= 65535 ? number : undefined;
  }),
  published: textOrNumber,
  protocol: text,
  app_protocol: text,
});

/** One item may be many ports: `9000-9005:9000-9005`. */
export const ports = withShort(list(port, { key: portKey }), (node, path) => {
  if (!Array.isArray(node.value)) return node;
  const items = node.value as readonly Node[];
  return { ...node, value: items.flatMap((item, index) => expandPort(item, [...path, `[${index}]`])) };
});

function portKey(item: Node): string {
  const get = (key: string, otherwise: string) =>
    (isMapping(item.value) && item.value.get(key)?.node.value) ?? otherwise;
  return `${get("host_ip", "0.0.0.0")}:${get("published", "")}:${get("target", "")}/${get("protocol", "tcp")}`;
}

function expandPort(node: Node, path: Path): Node[] {
  if (isMapping(node.value)) return [withDefaults(node)];
  if (typeof node.value !== "string" && typeof node.value !== "number") return [node];
  const wrong = (why: string): never =>
    fail(
      node.at,
      path,
      `${JSON.stringify(node.value)} is no port: ${why}`,
      "Write CONTAINER, HOST:CONTAINER or IP:HOST:CONTAINER, each with /udp if need be",
    );
  const { hostIp, published, target, protocol } = parts(String(node.value), wrong);
  const inside = range(target, wrong);
  const outside = published === "" ? undefined : range(published, wrong);
  // A range outside and one port inside: the engine picks a free one of the range.
  const isPool = outside !== undefined && inside[0] === inside[1] && outside[0] !== outside[1];
  if (outside && !isPool && outside[1] - outside[0] !== inside[1] - inside[0]) wrong("the ranges differ in length");
  return Array.from({ length: inside[1] - inside[0] + 1 }, (_, index) => {
    const host = outside === undefined ? undefined : isPool ? published : String(outside[0] + index);
    const entries: [string, Scalar][] = [["mode", "ingress"]];
    if (hostIp !== "") entries.push(["host_ip", hostIp]);
    entries.push(["target", inside[0] + index]);
    if (host !== undefined) entries.push(["published", host]);
    entries.push(["protocol", protocol]);
    return makeMapping(node.at, entries);
  });
}

function withDefaults(node: Node): Node {
  const mapping = new Map(isMapping(node.value) ? node.value : []);
  for (const [key, value] of [
    ["mode", "ingress"],
    ["protocol", "tcp"],
  ] as const)
    if (!mapping.has(key)) mapping.set(key, { keyAt: node.at, node: { value, at: node.at } });
  return { ...node, value: mapping };
}

function parts(spec: string, wrong: (why: string) => never) {
  const [address = "", protocol = "tcp", ...more] = spec.split("/");
  if (more.length > 0 || !/^(tcp|udp|sctp)$/i.test(protocol)) wrong(`the protocol is tcp, udp or sctp`);
  const bracketed = /^\[([^\]]*)\]:(.*)$/.exec(address);
  const words = bracketed ? [bracketed[1] ?? "", ...(bracketed[2] ?? "").split(":")] : address.split(":");
  const target = words.pop() ?? "";
  const published = words.pop() ?? "";
  const hostIp = words.join(":");
  if (hostIp !== "" && ipVersion(hostIp) === 0) wrong(`${JSON.stringify(hostIp)} is no IP address`);
  return { hostIp, published, target, protocol: protocol.toLowerCase() };
}

function range(text: string, wrong: (why: string) => never): readonly [number, number] {
  const found = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (!found) return wrong(text === "" ? "the container's port is missing" : `${JSON.stringify(text)} is no number`);
  const first = Number(found[1]);
  const last = Number(found[2] ?? found[1]);
  if (last < first) wrong("the range ends before it begins");
  if (last > 65535) wrong("ports end at 65535");
  return [first, last];
}
