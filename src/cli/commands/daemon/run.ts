import { HavreError } from "../../../base/mod.ts";
import { list, text, toggle } from "../../args/flags.ts";
import { logLevelFlag, readLogLevel } from "../../args/log-level.ts";
import { durationNanos } from "../../args/time.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Run the engine in the foreground",
  detail: "Containers go on without it: it may be stopped, killed and replaced at any time.",
  examples: [
    ["daemon", "With the default folders"],
    ["daemon --root /srv/havre --run /run/havre2 --bridge hv2 --subnet 172.31.0.0/16", "A second one beside it"],
  ],
  flags: {
    "add-runtime": list("Another OCI runtime by name (NAME=PATH)", { check: checkRuntime }),
    bridge: text("Name of the default bridge (default havre0, or $HAVRE_BRIDGE)"),
    cleanup: toggle("Remove bridge and firewall rules of a stopped daemon, and quit"),
    "default-address-pool": list("Where networks that name no subnet get one (base=10.10.0.0/16,size=24)"),
    "default-runtime": text("OCI runtime of containers that name none"),
    "forbid-grant": list(
      "What no container is granted (cap, privileged, host-path:/etc; 'havre grants' lists the words)",
    ),
    "host-access": toggle("Let containers of the default bridge reach services of the host by its address"),
    "image-retention": text("How long a removed image can come back by 'havre image rollback' (24h, 90m; default 0s)", {
      type: "duration",
    }),
    "insecure-registry": list("Registry that needs no TLS, or no certificate that is known (host[:port] or CIDR)"),
    "log-level": logLevelFlag,
    plugins: text("Folder of volume plug-ins: sockets, .spec and .json (default those of Docker)"),
    profile: text(
      "Profile of containers that ask for none, and what none goes below: docker, hardened or open (default docker, and no floor; or $HAVRE_DAEMON_PROFILE)",
    ),
    "registry-mirror": list("Mirror of Docker Hub to try first (URL)", { check: checkMirror }),
    root: text("Folder of the daemon's data"),
    run: text("Folder of the daemon's socket"),
    "open-ports": toggle("Open published ports around a firewall of the host that denies them"),
    "socket-group": text("Group that may use the socket"),
    "userns-remap": text("User ids of containers that name no others: default, each its own, or those of USER[:GROUP]"),
    subnet: text("Addresses of the default bridge (CIDR; default $HAVRE_SUBNET, or the first free pool)"),
  },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    // A daemon that a command starts gets these from its environment.
    const bridge = flags.bridge || context.env.HAVRE_BRIDGE;
    const subnet = flags.subnet || context.env.HAVRE_SUBNET;
    const profile = flags.profile || context.env.HAVRE_DAEMON_PROFILE;
    return context.runDaemon({
      root: flags.root || context.places.root,
      run: flags.run || context.places.run,
      logLevel: readLogLevel(flags["log-level"]),
      cleanup: flags.cleanup,
      registryMirrors: flags["registry-mirror"],
      insecureRegistries: flags["insecure-registry"],
      defaultAddressPools: flags["default-address-pool"],
      hostAccess: flags["host-access"],
      addedRuntimes: Object.fromEntries(flags["add-runtime"].map(splitRuntime)),
      ...(bridge ? { bridge } : {}),
      ...(subnet ? { subnet } : {}),
      ...(flags["default-runtime"] ? { defaultRuntime: flags["default-runtime"] } : {}),
      ...(flags["image-retention"] ? { imageRetention: retention(flags["image-retention"]) } : {}),
      openPorts: flags["open-ports"],
      ...(profile ? { profile } : {}),
      forbiddenGrants: flags["forbid-grant"],
      ...(flags.plugins ? { pluginFolder: flags.plugins } : {}),
      ...(flags["userns-remap"] ? { usernsRemap: flags["userns-remap"] } : {}),
      ...(flags["socket-group"] ? { socketGroup: flags["socket-group"] } : {}),
    });
  },
});

/** Milliseconds. */
function retention(text: string): number {
  const nanos = durationNanos(text);
  if (nanos >= 0) return nanos / 1e6;
  throw new HavreError("invalid-argument", `--image-retention ${text} is negative`, { hint: "0s keeps nothing" });
}

function splitRuntime(text: string): [name: string, path: string] {
  const equals = text.indexOf("=");
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function checkMirror(text: string): string {
  if (/^https?:\/\/[^/?#]+/.test(text)) return text;
  throw new HavreError("invalid-argument", `${JSON.stringify(text)} is not a URL: https://mirror.example`);
}

function checkRuntime(text: string): string {
  if (/^[\w.-]+=.+$/.test(text)) return text;
  throw new HavreError("invalid-argument", `${JSON.stringify(text)} is not NAME=PATH`);
}
