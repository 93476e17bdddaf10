import type { PortBinding } from "../../../../spec/mod.ts";
import { ipVersion } from "../../../../spec/mod.ts";
import { refuse } from "./checks.ts";
import { cut } from "./csv.ts";

export interface Ports {
  readonly exposed: Record<string, Record<string, never>>;
  readonly bindings: Record<string, PortBinding[]>;
}

/** `-p` in its short and long forms, with `--expose` (go-connections nat, docker/cli opts.go). */
export function parsePorts(publish: readonly string[], expose: readonly string[]): Ports {
  const ports: Ports = { exposed: {}, bindings: {} };
  for (const text of publish) addPublished(ports, shortForm(text));
  for (const text of expose) {
    if (text.includes(":")) refuse(`invalid port format for --expose: ${text}`);
    const [range = "", protocol = "tcp"] = text.split("/");
    const [start, end] = exposeRange(text, range);
    for (let port = start; port <= end; port++) ports.exposed[`${port}/${protocol || "tcp"}`] ??= {};
  }
  return ports;
}

function exposeRange(text: string, range: string): [number, number] {
  const parsed = parseRange(range);
  if (typeof parsed === "string") return refuse(`invalid range format for --expose: ${text}, error: ${parsed}`);
  return parsed;
}

/** `published=80,target=8080,protocol=tcp` as `80:8080/tcp`. */
function shortForm(text: string): string {
  if (!text.includes("=")) return text;
  const fields: Record<string, string> = { protocol: "tcp", published: "", target: "" };
  for (const field of text.split(",")) {
    const [name, value] = cut(field, "=");
    if (value === undefined || name === "")
      refuse(`invalid publish opts format (should be name=value but got '${field}')`);
    else fields[name] = value;
  }
  return `${fields.published}:${fields.target}/${fields.protocol}`;
}

function addPublished(ports: Ports, text: string): void {
  const { hostIp, host, container, protocol } = splitSpecification(text);
  if (hostIp !== "" && ipVersion(hostIp) === 0) refuse(`Invalid ip address: ${hostIp}`);
  if (container === "") refuse(`No port specified: ${text}<empty>`);
  const [start, end] = rangeOr(`Invalid containerPort: ${container}`, container);
  const outside = host === "" ? undefined : rangeOr(`Invalid hostPort: ${host}`, host);
  const [hostStart, hostEnd] = outside ?? [0, 0];
  // A range of host ports for one port lets the daemon choose among them.
  const choice = outside !== undefined && end === start && hostEnd !== hostStart;
  if (outside && end - start !== hostEnd - hostStart && !choice)
    refuse(`Invalid ranges specified for container and host Ports: ${container} and ${host}`);
  if (!["tcp", "udp", "sctp"].includes(protocol.toLowerCase())) refuse(`Invalid proto: ${protocol}`);
  for (let offset = 0; offset <= end - start; offset++) {
    const key = `${start + offset}/${protocol.toLowerCase()}`;
    const HostPort = outside === undefined ? "" : choice ? host : String(hostStart + offset);
    ports.exposed[key] ??= {};
    ports.bindings[key] = [...(ports.bindings[key] ?? []), { HostIp: hostIp, HostPort }];
  }
}

function splitSpecification(text: string): { hostIp: string; host: string; container: string; protocol: string } {
  const parts = text.split(":");
  const [container = "", protocol = "tcp"] = (parts.pop() ?? "").split("/");
  const host = parts.pop() ?? "";
  const hostIp = parts.join(":").replace(/^\[(.*)\]$/, "$1");
  return { hostIp, host, container, protocol: protocol === "" ? "tcp" : protocol };
}

function rangeOr(complaint: string, text: string): [number, number] {
  const range = parseRange(text);
  return typeof range === "string" ? refuse(complaint) : range;
}

const LAST_PORT = 65535;

/** First and last port of `80` or `80-90`; a text says what is wrong. */
function parseRange(text: string): [number, number] | string {
  if (text === "") return "empty string specified for ports";
  const [first = "", last] = cut(text, "-");
  for (const word of last === undefined ? [first] : [first, last]) {
    if (!/^\d+$/.test(word)) return `strconv.ParseUint: parsing ${JSON.stringify(word)}: invalid syntax`;
    if (Number(word) > LAST_PORT) return `strconv.ParseUint: parsing ${JSON.stringify(word)}: value out of range`;
  }
  const start = Number(first);
  const end = last === undefined ? start : Number(last);
  return end < start ? `invalid range specified for port: ${text}` : [start, end];
}
