import type { EndpointRequest } from "../../../../spec/mod.ts";
import { refuse } from "./checks.ts";
import { cut, parseCsv } from "./csv.ts";

/** One `--network NAME` or `--network name=…,alias=…,ip=…`. */
export interface NetworkChoice {
  readonly target: string;
  readonly aliases: readonly string[];
  readonly links: readonly string[];
  readonly driverOptions: Readonly<Record<string, string>>;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly linkLocal: readonly string[];
  readonly mac: string;
}

const NOTHING = { aliases: [], links: [], driverOptions: {}, ipv4: "", ipv6: "", linkLocal: [], mac: "" } as const;

/** Parses one value of `--network` (docker/cli, opts/network.go). */
export function parseNetwork(text: string): NetworkChoice {
  if (!/\w+=\w+(,\w+=\w+)*/.test(text)) return { target: text, ...NOTHING };
  let choice: NetworkChoice = { target: "", ...NOTHING };
  for (const field of parseCsv(text)) {
    const [name, value] = cut(field.toLowerCase(), "=");
    if (value === undefined || name === "") refuse(`invalid field ${field}`);
    choice = setField(choice, name.trim(), value.trim());
  }
  return choice.target === "" ? refuse("network name/id is not specified") : choice;
}

function setField(choice: NetworkChoice, key: string, value: string): NetworkChoice {
  switch (key) {
    case "name":
      return { ...choice, target: value };
    case "alias":
      return { ...choice, aliases: [...choice.aliases, value] };
    case "ip":
      return { ...choice, ipv4: value };
    case "ip6":
      return { ...choice, ipv6: value };
    case "mac-address":
      return { ...choice, mac: value };
    case "link-local-ip":
      return { ...choice, linkLocal: [...choice.linkLocal, value] };
    case "driver-opt": {
      const [name, setting] = cut(value, "=");
      if (setting === undefined || name === "") return refuse("invalid key value pair format in driver options");
      return { ...choice, driverOptions: { ...choice.driverOptions, [name.trim()]: setting.trim() } };
    }
    default:
      return refuse(`invalid field key ${key}`);
  }
}

/** The flags that speak of "the" network, from before there could be several. */
export interface NetworkFlags {
  readonly "network-alias": readonly string[];
  readonly link: readonly string[];
  readonly ip: string;
  readonly ip6: string;
  readonly "mac-address": string;
  readonly "link-local-ip": readonly string[];
}

/** `default`, `bridge`, `host`, `none` and `container:…` are modes; anything else names a network. */
export function isUserDefined(target: string): boolean {
  return !["default", "bridge", "host", "none"].includes(target) && !target.startsWith("container:");
}

/** The endpoints a container asks for (docker/cli, parseNetworkOpts). */
export function endpointsOf(
  choices: readonly NetworkChoice[],
  flags: NetworkFlags,
): Readonly<Record<string, EndpointRequest>> {
  const endpoints: Record<string, EndpointRequest> = {};
  if (choices.length === 0) endpoints.default = endpoint(mergeFlags({ target: "default", ...NOTHING }, flags));
  for (const [at, choice] of choices.entries()) {
    const merged = at === 0 ? mergeFlags(choice, flags) : choice;
    const request = endpoint(merged);
    if (Object.hasOwn(endpoints, choice.target)) refuse(`network "${choice.target}" is specified multiple times`);
    // A single network without options of its own needs no word beyond NetworkMode.
    if (choices.length === 1 && Object.keys(request).length === 0) continue;
    endpoints[choice.target] = request;
  }
  const own = choices.filter(({ target }) => isUserDefined(target));
  if (own.length > 0 && own.length < choices.length)
    refuse("conflicting options: cannot attach both user-defined and non-user-defined network-modes");
  return endpoints;
}

function mergeFlags(choice: NetworkChoice, flags: NetworkFlags): NetworkChoice {
  const clash = (flag: string, what: string) =>
    refuse(`conflicting options: cannot specify both ${flag} and per-network ${what}`);
  if (choice.aliases.length > 0 && flags["network-alias"].length > 0) clash("--network-alias", "alias");
  if (choice.ipv4 && flags.ip) clash("--ip", "IPv4 address");
  if (choice.ipv6 && flags.ip6) clash("--ip6", "IPv6 address");
  if (choice.mac && flags["mac-address"]) clash("--mac-address", "MAC address");
  if (choice.linkLocal.length > 0 && flags["link-local-ip"].length > 0)
    clash("--link-local-ip", "link-local IP addresses");
  return {
    ...choice,
    aliases: flags["network-alias"].length > 0 ? flags["network-alias"] : choice.aliases,
    links: choice.target !== "default" ? flags.link : [],
    ipv4: flags.ip || choice.ipv4,
    ipv6: flags.ip6 || choice.ipv6,
    mac: flags["mac-address"] || choice.mac,
    linkLocal: flags["link-local-ip"].length > 0 ? flags["link-local-ip"] : choice.linkLocal,
  };
}

function endpoint(choice: NetworkChoice): EndpointRequest {
  if (choice.target.trim() === "") refuse("no name set for network");
  if (!isUserDefined(choice.target)) {
    if (choice.aliases.length > 0) refuse("network-scoped aliases are only supported for user-defined networks");
    // Links on the default bridge are the container's own (HostConfig.Links).
    if (choice.links.length > 0 && choice.target !== "bridge")
      refuse("links are only supported for user-defined networks");
  }
  if (choice.mac && !isMac(choice.mac)) refuse(`${choice.mac} is not a valid mac address`);
  const addressed = choice.ipv4 || choice.ipv6 || choice.linkLocal.length > 0;
  return {
    ...(choice.aliases.length > 0 ? { Aliases: choice.aliases } : {}),
    ...(choice.links.length > 0 ? { Links: choice.links } : {}),
    ...(Object.keys(choice.driverOptions).length > 0 ? { DriverOpts: choice.driverOptions } : {}),
    ...(choice.mac ? { MacAddress: choice.mac } : {}),
    ...(addressed ? { IPAMConfig: addresses(choice) } : {}),
  };
}

function addresses({ ipv4, ipv6, linkLocal }: NetworkChoice): NonNullable<EndpointRequest["IPAMConfig"]> {
  return {
    ...(ipv4 ? { IPv4Address: ipv4 } : {}),
    ...(ipv6 ? { IPv6Address: ipv6 } : {}),
    ...(linkLocal.length > 0 ? { LinkLocalIPs: linkLocal } : {}),
  };
}

export function isMac(text: string): boolean {
  return (
    /^([0-9a-fA-F]{2})([:-][0-9a-fA-F]{2}){5}$/.test(text.trim()) ||
    /^[0-9a-fA-F]{4}(\.[0-9a-fA-F]{4}){2}$/.test(text.trim())
  );
}
