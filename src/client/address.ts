import { HavreError } from "../base/mod.ts";

export type Address =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

const DEFAULT_TCP_PORT = 2375;

/** Parses `unix:///path`, `/path`, `tcp://host[:port]`; `invalid-argument` for anything else (Docker's `-H` forms). */
export function parseAddress(text: string): Address {
  if (text.startsWith("/")) return { kind: "unix", path: text };
  if (text.startsWith("unix://") && text.length > 7) return { kind: "unix", path: text.slice(7) };
  const tcp = /^tcp:\/\/(\[[0-9a-fA-F:]+\]|[^:/]*)(?::(\d+))?\/?$/.exec(text);
  if (tcp) {
    const host = (tcp[1] ?? "").replace(/^\[|\]$/g, "") || "127.0.0.1";
    return { kind: "tcp", host, port: Number(tcp[2] ?? DEFAULT_TCP_PORT) };
  }
  throw new HavreError("invalid-argument", `unable to parse docker host \`${text}\``, {
    hint: "Give unix:///path/to.sock or tcp://host:port",
  });
}
