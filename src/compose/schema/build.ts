import { list, record, scalar, withShort } from "../shape/shape.ts";
import { isMapping, makeMapping } from "../source/node.ts";
import { hosts, ulimits } from "./host-settings.ts";
import { buildSecretUses } from "./mounts.ts";
import { bool, bytes, command, environment, labels, text, textOrList, texts } from "./scalars.ts";

/** Keys of the SSH agent or of files: `default`, or `ID=PATH`. */
const ssh = withShort(
  list(
    scalar("an id, or ID=PATH", (value) => (typeof value === "string" ? value : undefined), {
      print: (value) => String(value).replace("=", ": "),
    }),
    { key: (item) => String(item.value).replace(/=.*/s, "") },
  ),
  (node) => {
    if (typeof node.value === "string") return { ...node, value: [node] };
    if (!isMapping(node.value)) return node;
    const lines = [...node.value].map(([id, { node: path }]) => ({
      value: path.value === null ? id : `${id}=${String(path.value)}`,
      at: path.at,
    }));
    return { ...node, value: lines };
  },
);

/** `build`: where an image is made from, and how. */
export const build = withShort(
  record({
    context: text,
    dockerfile: text,
    dockerfile_inline: text,
    entitlements: texts,
    args: environment,
    ssh,
    labels,
    cache_from: textOrList,
    cache_to: textOrList,
    no_cache: bool,
    additional_contexts: labels,
    pull: bool,
    extra_hosts: hosts,
    isolation: text,
    network: text,
    provenance: scalar("true, false or text", (value) => (value === null ? undefined : String(value))),
    sbom: scalar("true, false or text", (value) => (value === null ? undefined : String(value))),
    target: text,
    secrets: buildSecretUses,
    shm_size: bytes,
    tags: textOrList,
    ulimits,
    platforms: textOrList,
    privileged: bool,
  }),
  (node) => (typeof node.value === "string" ? makeMapping(node.at, [["context", node]]) : node),
);

/** A command that runs in a container at a time of its life. */
export const lifecycleHook = record(
  {
    command: { shape: command, keepsZero: true, jsonAlways: null },
    user: text,
    privileged: bool,
    working_dir: text,
    environment,
  },
  { required: ["command"] },
);

/** `develop.watch`: what happens when files change. */
export const develop = record({
  watch: list(
    record(
      {
        path: text,
        action: scalar("an action", (value) => (typeof value === "string" ? value : undefined), {
          values: ["sync", "rebuild", "restart", "sync+restart", "sync+exec"],
        }),
        target: text,
        exec: { shape: lifecycleHook, jsonAlways: "record" },
        ignore: textOrList,
        include: textOrList,
        initial_sync: bool,
      },
      { required: ["path", "action"] },
    ),
  ),
});
