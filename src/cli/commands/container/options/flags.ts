import type { MountRequest, ThrottleDevice, Ulimit, WeightDevice } from "../../../../spec/mod.ts";
import { integer, list, text, toggle, value } from "../../../args/flags.ts";
import { durationNanos } from "../../../args/time.ts";
import {
  bytesFlag,
  checkDeviceRule,
  checkEnvironment,
  checkIp,
  checkLabel,
  checkSearchDomain,
  checkStream,
  cpusFlag,
} from "./checks.ts";
import { parseMount } from "./mount.ts";
import { type NetworkChoice, parseNetwork } from "./network.ts";
import { checkExtraHost, checkLink, checkSysctl, parseUlimit, throttle, weightDevice } from "./resources.ts";

const duration = (help: string) => value("duration", help, 0, durationNanos);
const append =
  <T>(parse: (text: string) => T) =>
  (text: string, previous: readonly T[]): readonly T[] => [...previous, parse(text)];
const throttles = (help: string, kind: "bytes" | "operations") =>
  value<readonly ThrottleDevice[]>(
    "list",
    help,
    [],
    append((text) => throttle(text, kind)),
  );

/** Every option of `run` and `create` that describes the container (docker/cli, cli/command/container/opts.go). */
export const containerFlags = {
  "add-host": list("Add a custom host-to-IP mapping (host:ip)", { check: checkExtraHost }),
  annotation: list("Add an annotation to the container (passed through to the OCI runtime)", { type: "map" }),
  attach: list("Attach to STDIN, STDOUT or STDERR", { short: "a", check: checkStream }),
  "blkio-weight": integer("Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)", {
    min: 0,
    max: 65535,
    type: "uint16",
  }),
  "blkio-weight-device": value<readonly WeightDevice[]>(
    "list",
    "Block IO weight (relative device weight)",
    [],
    append(weightDevice),
  ),
  "cap-add": list("Add Linux capabilities"),
  "cap-drop": list("Drop Linux capabilities"),
  "cgroup-parent": text("Optional parent cgroup for the container"),
  cgroupns: text(`Cgroup namespace to use (host|private)
'host':    Run the container in the host's cgroup namespace
'private': Run the container in its own private cgroup namespace
'':        Use the cgroup namespace as configured on the daemon (default)`),
  cidfile: text("Write the container ID to the file"),
  "cpu-count": integer("CPU count (Windows only)", { hidden: true }),
  "cpu-percent": integer("CPU percent (Windows only)", { hidden: true }),
  "cpu-period": integer("Limit CPU CFS (Completely Fair Scheduler) period"),
  "cpu-quota": integer("Limit CPU CFS (Completely Fair Scheduler) quota"),
  "cpu-rt-period": integer("Limit CPU real-time period in microseconds"),
  "cpu-rt-runtime": integer("Limit CPU real-time runtime in microseconds"),
  "cpu-shares": integer("CPU shares (relative weight)", { short: "c" }),
  cpus: cpusFlag("Number of CPUs"),
  "cpuset-cpus": text("CPUs in which to allow execution (0-3, 0,1)"),
  "cpuset-mems": text("MEMs in which to allow execution (0-3, 0,1)"),
  device: list("Add a host device to the container"),
  "device-cgroup-rule": list("Add a rule to the cgroup allowed devices list", { check: checkDeviceRule }),
  "device-read-bps": throttles("Limit read rate (bytes per second) from a device", "bytes"),
  "device-read-iops": throttles("Limit read rate (IO per second) from a device", "operations"),
  "device-write-bps": throttles("Limit write rate (bytes per second) to a device", "bytes"),
  "device-write-iops": throttles("Limit write rate (IO per second) to a device", "operations"),
  dns: list("Set custom DNS servers", { check: checkIp }),
  "dns-opt": list("Set DNS options", { hidden: true, aliasOf: "dns-option" }),
  "dns-option": list("Set DNS options"),
  "dns-search": list("Set custom DNS search domains", { check: checkSearchDomain }),
  domainname: text("Container NIS domain name"),
  entrypoint: text("Overwrite the default ENTRYPOINT of the image"),
  env: list("Set environment variables", { short: "e", check: checkEnvironment }),
  "env-file": list("Read in a file of environment variables"),
  expose: list("Expose a port or a range of ports"),
  gpus: text("GPU devices: not supported, refused", { type: "gpu-request" }),
  "group-add": list("Add additional groups to join"),
  "health-cmd": text("Command to run to check health"),
  "health-interval": duration("Time between running the check (ms|s|m|h) (default 0s)"),
  "health-retries": integer("Consecutive failures needed to report unhealthy"),
  "health-start-interval": duration("Time between running the check during the start period (ms|s|m|h) (default 0s)"),
  "health-start-period": duration(
    "Start period for the container to initialize before starting health-retries countdown (ms|s|m|h) (default 0s)",
  ),
  "health-timeout": duration("Maximum time to allow one check to run (ms|s|m|h) (default 0s)"),
  hostname: text("Container host name", { short: "h" }),
  egress: list(
    "What it may reach outside its networks: none, any, or HOST[:PORT[/udp]] of a name, *.NAME, an address, a CIDR (as --grant egress:…)",
  ),
  grant: list(
    "Something the profile denies, by its word: net-bind, write:/path, cap:NAME, egress:HOST:PORT, … ('havre grants' lists them)",
  ),
  init: toggle("Run an init inside the container that forwards signals and reaps processes"),
  interactive: toggle("Keep STDIN open even if not attached", { short: "i" }),
  "io-maxbandwidth": bytesFlag("Maximum IO bandwidth limit for the system drive (Windows only)", { hidden: true }),
  "io-maxiops": integer("Maximum IOps limit for the system drive (Windows only)", { hidden: true, min: 0 }),
  ip: text("IPv4 address (e.g., 172.30.100.104)"),
  ip6: text("IPv6 address (e.g., 2001:db8::33)"),
  ipc: text("IPC mode to use"),
  isolation: text("Container isolation technology"),
  "kernel-memory": bytesFlag("Kernel memory limit"),
  label: list("Set meta data on a container", { short: "l", check: checkLabel }),
  "label-file": list("Read in a line delimited file of labels"),
  link: list("Add link to another container", { check: checkLink }),
  "link-local-ip": list("Container IPv4/IPv6 link-local addresses"),
  "log-driver": text("Logging driver for the container"),
  "log-opt": list("Log driver options"),
  "mac-address": text("Container MAC address (e.g., 92:d0:c6:0a:29:33)"),
  memory: bytesFlag("Memory limit", { short: "m" }),
  "memory-reservation": bytesFlag("Memory soft limit"),
  "memory-swap": bytesFlag("Swap limit equal to memory plus swap: '-1' to enable unlimited swap", {}, true),
  "memory-swappiness": integer("Tune container memory swappiness (0 to 100)", { initial: -1, defaultText: "-1" }),
  mount: value<readonly MountRequest[]>("mount", "Attach a filesystem mount to the container", [], append(parseMount)),
  net: value<readonly NetworkChoice[]>("network", "Connect a container to a network", [], append(parseNetwork), {
    hidden: true,
    aliasOf: "network",
  }),
  "net-alias": list("Add network-scoped alias for the container", { hidden: true, aliasOf: "network-alias" }),
  network: value<readonly NetworkChoice[]>("network", "Connect a container to a network", [], append(parseNetwork)),
  "network-alias": list("Add network-scoped alias for the container"),
  "no-healthcheck": toggle("Disable any container-specified HEALTHCHECK"),
  observe: toggle(
    "Watch what its processes ask of the kernel, for 'havre why' and 'havre grants'; slows system calls down",
  ),
  "oom-kill-disable": toggle("Disable OOM Killer"),
  "oom-score-adj": integer("Tune host's OOM preferences (-1000 to 1000)"),
  pid: text("PID namespace to use"),
  "pids-limit": integer("Tune container pids limit (set -1 for unlimited)"),
  privileged: toggle("Give extended privileges to this container"),
  profile: text(
    "What is denied unless it is asked for: docker, hardened or open (default hardened, or HAVRE_PROFILE of the environment)",
  ),
  publish: list("Publish a container's port(s) to the host", { short: "p" }),
  "publish-all": toggle("Publish all exposed ports to random ports", { short: "P" }),
  "read-only": toggle("Mount the container's root filesystem as read only"),
  restart: text("Restart policy to apply when a container exits", { initial: "no", defaultText: '"no"' }),
  "restart-unhealthy": toggle("Restart the container, with growing pauses, while its health check fails"),
  rm: toggle("Automatically remove the container when it exits"),
  runtime: text("Runtime to use for this container"),
  "security-opt": list("Security Options"),
  "shm-size": bytesFlag("Size of /dev/shm"),
  "stop-signal": text("Signal to stop the container"),
  "stop-timeout": integer("Timeout (in seconds) to stop a container"),
  "storage-opt": list("Storage driver options for the container"),
  sysctl: list("Sysctl options", { type: "map", check: checkSysctl }),
  tmpfs: list("Mount a tmpfs directory"),
  tty: toggle("Allocate a pseudo-TTY", { short: "t" }),
  ulimit: value<readonly Ulimit[]>("ulimit", "Ulimit options", [], append(parseUlimit)),
  user: text("Username or UID (format: <name|uid>[:<group|gid>])", { short: "u" }),
  userns: text("User namespace to use (host, auto, auto:size=N, or FIRST:SIZE of the host's ids)"),
  uts: text("UTS namespace to use"),
  volume: list("Bind mount a volume", { short: "v" }),
  "volume-driver": text("Optional volume driver for the container"),
  "volumes-from": list("Mount volumes from the specified container(s)"),
  workdir: text("Working directory inside the container", { short: "w" }),
} as const;
