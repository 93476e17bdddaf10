import { join } from "node:path";
import { HavreError } from "../../../base/mod.ts";
import { text } from "../../args/flags.ts";
import { logLevelFlag, readLogLevel } from "../../args/log-level.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Serve a registry in the foreground",
  detail: `Any client of the OCI distribution specification can push to it and pull from it. It needs no daemon.
A file of settings says who may do what, and asks for tokens, quotas, retention, webhooks, mirrors and an audit log
(docs/registry.md has an example of each). It and the certificate are read again when they change, and on SIGHUP.
For people there is a page at the registry's address; /metrics is for Prometheus.`,
  examples: [
    ["registry serve", "On 127.0.0.1:5000, for this machine alone"],
    ["registry serve --listen :5000 --tls-cert r.pem --tls-key r.key --htpasswd users", "For others too, who sign in"],
    ["registry serve --listen :5000 --tls-cert r.pem --tls-key r.key --config registry.yml", "By the rules of a file"],
  ],
  flags: {
    config: text("File of settings (YAML): users, roles, tokens, quotas, retention, webhooks, mirrors, audit log"),
    htpasswd: text("File of users with bcrypt hashes (htpasswd -B); without one whoever reaches it may do everything"),
    listen: text("Address to listen on (host:port; port 0: any that is free)", {
      initial: "127.0.0.1:5000",
      defaultText: '"127.0.0.1:5000"',
    }),
    "log-level": logLevelFlag,
    root: text("Folder of the registry's data (default registry in the daemon's folder)"),
    "tls-cert": text("Certificate chain (PEM file)"),
    "tls-key": text("Private key of the certificate (PEM file)"),
  },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const { "tls-cert": cert, "tls-key": key, htpasswd, config } = flags;
    if ((cert === "") !== (key === "")) {
      throw new HavreError("invalid-argument", "--tls-cert and --tls-key belong together");
    }
    return context.runRegistry({
      root: flags.root || join(context.places.root, "registry"),
      ...readAddress(flags.listen),
      logLevel: readLogLevel(flags["log-level"]),
      ...(cert === "" ? {} : { tls: { cert, key } }),
      ...(htpasswd === "" ? {} : { htpasswd }),
      ...(config === "" ? {} : { config }),
    });
  },
});

/** `host:port`, `[address]:port` or `:port` for all addresses. */
function readAddress(address: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]*)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (match && port <= 65535) return { host: match[1] ?? (match[2] || "0.0.0.0"), port };
  throw new HavreError("invalid-argument", `${JSON.stringify(address)} is not HOST:PORT`, {
    hint: "For example 127.0.0.1:5000, or :5000 for all addresses",
  });
}
