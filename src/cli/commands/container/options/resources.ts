import { posix } from "node:path";
import {
  type DeviceMapping,
  ipVersion,
  parseSize,
  type ThrottleDevice,
  type Ulimit,
  type WeightDevice,
} from "../../../../spec/mod.ts";
import { checkIp, refuse } from "./checks.ts";
import { cut } from "./csv.ts";

const ULIMITS = "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(
  " ",
);

/** `nofile=1024:2048`, `core=-1` (go-units ParseUlimit). */
export function parseUlimit(text: string): Ulimit {
  const [name, limits] = cut(text, "=");
  if (limits === undefined) return refuse(`invalid ulimit argument: ${text}`);
  if (!ULIMITS.includes(name)) refuse(`invalid ulimit type: ${name}`);
  const parts = limits.split(":");
  if (parts.length > 2) refuse(`too many limit value arguments - ${limits}, can only have up to two, \`soft[:hard]\``);
  const number = (word: string) =>
    /^[+-]?\d+$/.test(word)
      ? Number(word)
      : refuse(`strconv.ParseInt: parsing ${JSON.stringify(word)}: invalid syntax`);
  const Soft = number(parts[0] ?? "");
  const Hard = parts[1] === undefined ? Soft : number(parts[1]);
  if (Hard !== -1 && (Soft === -1 || Soft > Hard))
    refuse(
      Soft === -1
        ? `ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: ${Hard}`
        : `ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`,
    );
  return { Name: name, Hard, Soft };
}

const RATE_HINT = "The correct format is <device-path>:<number>";

export function throttle(text: string, kind: "bytes" | "operations"): ThrottleDevice {
  const [path, rate] = cut(text, ":");
  if (rate === undefined || path === "") return refuse(`bad format: ${text}`);
  if (!path.startsWith("/dev/")) refuse(`bad format for device path: ${text}`);
  if (kind === "operations") {
    if (!/^\d+$/.test(rate))
      refuse(`invalid rate for device: ${text}. ${RATE_HINT}. Number must be a positive integer`);
    return { Path: path, Rate: Number(rate) };
  }
  const bytes = parseSize(rate, 1024);
  if (bytes === undefined)
    return refuse(
      `invalid rate for device: ${text}. ${RATE_HINT}[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb`,
    );
  return { Path: path, Rate: bytes };
}

export function weightDevice(text: string): WeightDevice {
  const [path, weight] = cut(text, ":");
  if (weight === undefined || path === "") return refuse(`bad format: ${text}`);
  if (!path.startsWith("/dev/")) refuse(`bad format for device path: ${text}`);
  const value = Number(weight);
  if (!/^\d+$/.test(weight) || (value > 0 && (value < 10 || value > 1000)))
    refuse(`invalid weight for device: ${text}`);
  return { Path: path, Weight: value };
}

export function checkSysctl(text: string): string {
  const [name, value] = cut(text, "=");
  const allowed =
    /^kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)$/.test(name) ||
    /^(net|fs\.mqueue)\./.test(name);
  return value !== undefined && allowed ? text : refuse(`sysctl '${text}' is not allowed`);
}

export function checkLink(text: string): string {
  if (text === "") refuse("empty string specified for links");
  return text.split(":").length > 2 ? refuse(`bad format for links: ${text}`) : text;
}

/** `host:ip` or `host=ip`, the address perhaps in brackets, or `host-gateway`. */
export function checkExtraHost(text: string): string {
  const equals = text.indexOf("=");
  const [name, address] = equals >= 0 ? cut(text, "=") : cut(text, ":");
  if (name === "" || !address) return refuse(`bad format for add-host: "${text}"`);
  const bare = address.replace(/^\[(.*)\]$/, "$1");
  if (bare !== "host-gateway" && ipVersion(bare) === 0) refuse(`invalid IP address in add-host: "${address}"`);
  return `${name}:${bare === "host-gateway" ? bare : checkIp(bare)}`;
}

const isDeviceMode = (mode: string) => /^[rwm]{1,3}$/.test(mode) && new Set(mode).size === mode.length;

/** `/dev/x[:/dev/y[:rwm]]` (docker/cli, validateLinuxPath and parseLinuxDevice). */
export function parseDevice(text: string): DeviceMapping {
  const parts = text.split(":");
  if (parts.length > 3 || parts[0] === "") refuse(`bad format for path: ${text}`);
  const [source = "", second, mode] = parts;
  const secondIsMode = parts.length === 2 && second !== undefined && isDeviceMode(second);
  if (mode !== undefined && !isDeviceMode(mode)) refuse(`bad mode specified: ${mode}`);
  const target = second === undefined || secondIsMode ? source : second;
  if (!target.startsWith("/")) refuse(`${target} is not an absolute path`);
  return {
    PathOnHost: parts.length === 1 || secondIsMode ? posix.normalize(source) : source,
    PathInContainer: parts.length === 3 ? target : posix.normalize(target),
    CgroupPermissions: mode ?? (secondIsMode ? second : undefined) ?? "rwm",
  };
}

/** A device of the Container Device Interface: `vendor.com/class=name`. */
export function isCdiDevice(text: string): boolean {
  return /^[A-Za-z][\w.-]*\/[A-Za-z][\w-]*=[A-Za-z0-9][\w.:-]*$/.test(text);
}
