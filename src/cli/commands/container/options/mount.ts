import { resolve } from "node:path";
import { type MountRequest, parseSize } from "../../../../spec/mod.ts";
import { parseBoolean } from "../../../args/flags.ts";
import { refuse } from "./checks.ts";
import { cut, parseCsv } from "./csv.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Draft {
  Type: MountRequest["Type"];
  Source?: string;
  Target?: string;
  ReadOnly?: boolean;
  Consistency?: string;
  BindOptions?: Mutable<NonNullable<MountRequest["BindOptions"]>>;
  VolumeOptions?: {
    NoCopy?: boolean;
    Subpath?: string;
    Labels: Record<string, string>;
    DriverConfig: { Name?: string; Options?: Record<string, string> };
  };
  TmpfsOptions?: { SizeBytes?: number; Mode?: number };
}

/** One `--mount type=bind,source=…,target=…` (docker/cli, opts/mount.go). */
export function parseMount(text: string): MountRequest {
  const draft: Draft = { Type: "volume" };
  for (const field of parseCsv(text)) {
    const [name, value] = cut(field, "=");
    setField(draft, name.toLowerCase(), value, field);
  }
  return finish(draft);
}

const BARE: Readonly<Record<string, string>> = {
  readonly: "true",
  ro: "true",
  "volume-nocopy": "true",
  "bind-nonrecursive": "true",
};

function setField(draft: Draft, key: string, given: string | undefined, field: string): void {
  const value = given ?? BARE[key] ?? refuse(`invalid field '${field}' must be a key=value pair`);
  const invalid = () => refuse(`invalid value for ${key}: ${value}`);
  const yes = () => {
    try {
      return parseBoolean(value);
    } catch {
      return invalid();
    }
  };
  switch (key) {
    case "type":
      draft.Type = value.toLowerCase() as MountRequest["Type"];
      return;
    case "source":
    case "src":
      draft.Source = value === "." || value.startsWith("./") ? resolve(value) : value;
      return;
    case "target":
    case "dst":
    case "destination":
      draft.Target = value;
      return;
    case "readonly":
    case "ro":
      draft.ReadOnly = yes();
      return;
    case "consistency":
      draft.Consistency = value.toLowerCase();
      return;
    case "tmpfs-size":
      tmpfsOptions(draft).SizeBytes = parseSize(value, 1024) ?? invalid();
      return;
    case "tmpfs-mode":
      tmpfsOptions(draft).Mode = /^[0-7]+$/.test(value) ? Number.parseInt(value, 8) : invalid();
      return;
  }
  if (key.startsWith("bind-")) setBind(draft, key, value, yes, field);
  else if (key.startsWith("volume-")) setVolume(draft, key, value, yes, field);
  else refuse(`unexpected key '${key}' in '${field}'`);
}

function tmpfsOptions(draft: Draft): NonNullable<Draft["TmpfsOptions"]> {
  draft.TmpfsOptions ??= {};
  return draft.TmpfsOptions;
}

function setBind(draft: Draft, key: string, value: string, yes: () => boolean, field: string): void {
  draft.BindOptions ??= {};
  const options = draft.BindOptions;
  if (key === "bind-propagation") options.Propagation = value.toLowerCase() as NonNullable<typeof options.Propagation>;
  else if (key === "bind-nonrecursive") options.NonRecursive = yes();
  else if (key !== "bind-recursive") refuse(`unexpected key '${key}' in '${field}'`);
  else if (value === "disabled") options.NonRecursive = true;
  else if (value === "writable") options.ReadOnlyNonRecursive = true;
  else if (value === "readonly") options.ReadOnlyForceRecursive = true;
  else if (value !== "enabled")
    refuse(`invalid value for ${key}: ${value} (must be "enabled", "disabled", "writable", or "readonly")`);
}

function setVolume(draft: Draft, key: string, value: string, yes: () => boolean, field: string): void {
  draft.VolumeOptions ??= { Labels: {}, DriverConfig: {} };
  const options = draft.VolumeOptions;
  const [name, setting = ""] = cut(value, "=");
  switch (key) {
    case "volume-nocopy":
      options.NoCopy = yes();
      return;
    case "volume-subpath":
      options.Subpath = value;
      return;
    case "volume-label":
      if (name !== "") options.Labels[name] = setting;
      return;
    case "volume-driver":
      options.DriverConfig.Name = value;
      return;
    case "volume-opt":
      options.DriverConfig.Options ??= {};
      if (name !== "") options.DriverConfig.Options[name] = setting;
      return;
    default:
      refuse(`unexpected key '${key}' in '${field}'`);
  }
}

function finish(draft: Draft): MountRequest {
  if (draft.Type.length === 0) refuse("type is required");
  const { Target } = draft;
  if (!Target) return refuse("target is required");
  for (const [kind, options] of [
    ["volume", draft.VolumeOptions],
    ["bind", draft.BindOptions],
    ["tmpfs", draft.TmpfsOptions],
  ] as const) {
    if (options && draft.Type !== kind) refuse(`cannot mix '${kind}-*' options with mount type '${draft.Type}'`);
  }
  if (draft.BindOptions?.ReadOnlyNonRecursive && !draft.ReadOnly)
    refuse("option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction");
  if (draft.BindOptions?.ReadOnlyForceRecursive) {
    if (!draft.ReadOnly) refuse("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction");
    if (draft.BindOptions.Propagation !== "rprivate")
      refuse("option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction");
  }
  return { ...draft, Target };
}
