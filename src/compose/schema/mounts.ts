import { kept, list, record, withShort } from "../shape/shape.ts";
import { child, makeMapping, type Node, type Path, type Value } from "../source/node.ts";
import { fail } from "../source/problem.ts";
import { bool, bytes, choice, fileMode, integer, labels, text } from "./scalars.ts";

const PROPAGATIONS = ["rprivate", "private", "rshared", "shared", "rslave", "slave"];

const mount = withShort(
  record(
    {
      type: choice("volume", "bind", "tmpfs", "npipe", "cluster", "image"),
      source: text,
      target: text,
      read_only: bool,
      consistency: text,
      bind: kept(
        record({
          selinux: choice("z", "Z"),
          propagation: text,
          create_host_path: bool,
          recursive: choice("enabled", "disabled", "writable", "readonly"),
        }),
      ),
      volume: kept(record({ labels, nocopy: bool, subpath: text })),
      tmpfs: kept(record({ size: bytes, mode: integer })),
      image: kept(record({ subpath: text })),
    },
    { required: ["type"] },
  ),
  expandMount,
);

/** Mounts of a service; those with the same place in the container are one. */
export const mounts = list(mount, { key: (item) => String(child(item, "target")?.value) });

function expandMount(node: Node, path: Path): Node {
  const { value: spec, at } = node;
  if (typeof spec !== "string") return node;
  const wrong = (why: string): never =>
    fail(at, path, `${JSON.stringify(spec)} is no volume: ${why}`, "Write SOURCE:TARGET or SOURCE:TARGET:OPTIONS");
  const words = spec.split(":");
  if (words.some((word) => word === "")) wrong("an empty section between colons");
  if (words.length > 3) wrong("too many colons");
  const [source, target] = words.length === 1 ? [undefined, words[0] ?? ""] : words;
  const bind: [string, Value][] = [];
  const volume: [string, Value][] = [];
  let readOnly = false;
  for (const option of (words[2] ?? "").split(",")) {
    if (option === "ro" || option === "rw") readOnly = option === "ro";
    else if (option === "nocopy") volume.push(["nocopy", true]);
    else if (option === "z" || option === "Z") bind.push(["selinux", option]);
    else if (PROPAGATIONS.includes(option)) bind.push(["propagation", option]);
  }
  const isPath = source !== undefined && /^[./~]/.test(source);
  const entries: [string, Value | Node][] = [["type", isPath ? "bind" : "volume"]];
  if (source !== undefined) entries.push(["source", source]);
  entries.push(["target", target ?? ""]);
  if (readOnly) entries.push(["read_only", true]);
  if (isPath) bind.push(["create_host_path", true]);
  if (bind.length > 0) entries.push(["bind", makeMapping(at, bind)]);
  if (!isPath) entries.push(["volume", makeMapping(at, volume)]);
  return makeMapping(at, entries);
}

/** A service's use of a config or secret, by name alone or with its place. */
function fileUse(node: Node): Node {
  return typeof node.value === "string" ? makeMapping(node.at, [["source", node.value]]) : node;
}
const use = withShort(record({ source: text, target: text, uid: text, gid: text, mode: kept(fileMode) }), fileUse);
const useKey = (folder: string) => (item: Node) =>
  String(child(item, "target")?.value ?? `${folder}/${child(item, "source")?.value}`);

export const configUses = list(use, { key: useKey("") });
export const secretUses = list(use, { key: useKey("/run/secrets") });
export const buildSecretUses = list(use);
