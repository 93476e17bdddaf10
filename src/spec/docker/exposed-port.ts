import { HavreError } from "../../base/mod.ts";

/**
 * The ports of `EXPOSE`, as an image's configuration has them (`80/tcp`): from `80`, `80/udp`, `8000-8010`, also with a published
 * side before it (`ip:host:80`), which means nothing here. `invalid-argument` with Docker's text.
 */
export function parseExposedPort(text: string): string[] {
  const [spec = "", protocol = "tcp"] = text.split("/", 2);
  const name = protocol.toLowerCase() || "tcp";
  const range = spec.slice(spec.lastIndexOf(":") + 1);
  const [, low, high = low] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
  if (low === undefined || Number(low) > 65535 || Number(high) > 65535 || Number(high) < Number(low)) {
    throw new HavreError("invalid-argument", `Invalid containerPort: ${range}`);
  }
  if (!["tcp", "udp", "sctp"].includes(name)) throw new HavreError("invalid-argument", `Invalid proto: ${protocol}`);
  return Array.from({ length: Number(high) - Number(low) + 1 }, (_, at) => `${Number(low) + at}/${name}`);
}
