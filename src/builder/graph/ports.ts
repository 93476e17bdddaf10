import { HavreError } from "../../base/mod.ts";

/** `EXPOSE 80 53/udp 8000-8010` as an image has it. `invalid-argument` with Docker's texts. */
export function exposedPorts(words: readonly string[]): Readonly<Record<string, Record<string, never>>> {
  const ports: Record<string, Record<string, never>> = {};
  for (const word of words) {
    const { first, last, protocol } = parsePorts(word);
    for (let port = first; port <= last; port++) ports[`${port}/${protocol}`] = {};
  }
  return ports;
}

function parsePorts(word: string): { readonly first: number; readonly last: number; readonly protocol: string } {
  const [range = "", protocol = "tcp"] = word.split("/", 2);
  if (!["tcp", "udp", "sctp"].includes(protocol.toLowerCase()))
    throw new HavreError("invalid-argument", `Invalid proto: ${protocol}`);
  // `host:container` was once understood; only the container's side counts.
  const container = range.slice(range.lastIndexOf(":") + 1);
  const [start = "", end = start] = container.split("-", 2);
  const [first, last] = [Number(start), Number(end)];
  const valid = /^\d+$/.test(start) && /^\d+$/.test(end) && first <= last && last <= 65535;
  if (!valid) throw new HavreError("invalid-argument", `Invalid containerPort: ${container}`);
  return { first, last, protocol: protocol.toLowerCase() };
}
