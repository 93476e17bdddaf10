import { expect, test } from "bun:test";
import type { ContainerConfig, HostConfig } from "../../spec/mod.ts";
import { type ContainerFacts, containerChecks } from "./container-checks.ts";
import { type AuditedHost, hostChecks } from "./host-checks.ts";
import { type ImageFacts, imageChecks } from "./image-checks.ts";
import { type Check, examine } from "./practices.ts";

/** Names of the checks that are not kept. */
function faults<Facts>(checks: readonly Check<Facts>[], facts: Facts): readonly string[] {
  const findings = examine(checks, { kind: "container", id: "1", name: "c" }, facts);
  for (const { kept, remedy } of findings) expect(kept ? "" : (remedy ?? "no remedy")).not.toBe("no remedy");
  return findings.filter(({ kept }) => !kept).map(({ check }) => check);
}

/** One that keeps everything, with some of it changed. */
function container({
  config = {},
  host = {},
  ...more
}: Partial<Omit<ContainerFacts, "config" | "hostConfig">> & {
  readonly config?: Partial<ContainerConfig>;
  readonly host?: Partial<HostConfig>;
} = {}): ContainerFacts {
  return {
    name: "web",
    config: {
      User: "1000",
      Env: ["PATH=/bin"],
      Image: "web",
      Healthcheck: { Test: ["CMD", "true"] },
      ...config,
    } as ContainerConfig,
    hostConfig: {
      ReadonlyRootfs: true,
      NetworkMode: "shop_front",
      PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }] },
      PublishAllPorts: false,
      Privileged: false,
      SecurityOpt: ["no-new-privileges"],
      CapAdd: null,
      PidMode: "",
      IpcMode: "private",
      UTSMode: "",
      Devices: [],
      Memory: 1 << 26,
      NanoCpus: 1e9,
      CpuQuota: 0,
      CpuShares: 0,
      CpusetCpus: "",
      PidsLimit: 100,
      RestartPolicy: { Name: "always", MaximumRetryCount: 0 },
      ...host,
    } as HostConfig,
    mounts: [
      { type: "volume", source: "/var/lib/havre/volumes/data", destination: "/data", writable: true, propagation: "" },
    ],
    ownUsers: false,
    staleImage: false,
    ...more,
  };
}

const bind = (source: string, propagation = "rprivate") => ({
  mounts: [{ type: "bind" as const, source, destination: "/mnt", writable: false, propagation }],
});

test("a container that keeps all ten practices has nothing to mend", () => {
  expect(faults(containerChecks, container())).toEqual([]);
});

test.each<[Parameters<typeof container>[0], string[]]>([
  [{ host: { ReadonlyRootfs: false } }, ["writable-root"]],
  [bind("/etc/"), ["host-folders"]],
  [bind("/etc/nginx"), []],
  [bind("/"), ["host-folders"]],
  [bind("/var/run/docker.sock"), ["engine-socket"]],
  [bind("/run/havre/havre.sock"), ["engine-socket"]],
  [bind("/srv", "rshared"), ["shared-propagation"]],
  [{ config: { Env: ["DB_PASSWORD=x"] } }, ["secrets-in-environment"]],
  [{ config: { Env: ["DB_PASSWORD_FILE=/run/secrets/db", "EMPTY_TOKEN="] } }, []],
  [{ host: { NetworkMode: "host" } }, ["host-network"]],
  [{ host: { NetworkMode: "default" } }, ["default-bridge"]],
  [{ host: { PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "8080" }] } } }, ["every-address"]],
  [{ host: { PortBindings: { "80/tcp": [{ HostIp: "10.0.0.1", HostPort: "80" }] } } }, ["privileged-ports"]],
  [{ host: { PublishAllPorts: true } }, ["all-ports"]],
  [{ host: { Privileged: true } }, ["privileged", "seccomp"]],
  [{ config: { User: "" } }, ["root"]],
  [{ config: { User: "0:0" } }, ["root"]],
  [{ config: { User: "root" }, ownUsers: true }, []],
  [{ host: { SecurityOpt: null } }, ["new-privileges"]],
  [{ host: { SecurityOpt: ["no-new-privileges", "seccomp=unconfined"] } }, ["seccomp"]],
  [{ host: { CapAdd: ["CAP_SYS_ADMIN"] } }, ["added-capabilities"]],
  [{ host: { PidMode: "host" } }, ["host-namespaces"]],
  [
    { host: { Devices: [{ PathOnHost: "/dev/sda", PathInContainer: "/dev/sda", CgroupPermissions: "rwm" }] } },
    ["devices"],
  ],
  [{ config: { Healthcheck: { Test: ["NONE"] } } }, ["health"]],
  [{ staleImage: true }, ["stale-image"]],
  [{ host: { Memory: 0 } }, ["memory"]],
  [{ host: { NanoCpus: 0 } }, ["cpu"]],
  [{ host: { PidsLimit: -1 } }, ["processes"]],
  [{ host: { PidsLimit: null } }, ["processes"]],
  [{ host: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 0 } } }, ["restarts"]],
])("what is not kept is found, and nothing else: %j", (changed, expected) => {
  expect(faults(containerChecks, container(changed))).toEqual(expected);
});

test("images and hosts are looked at the same way", () => {
  const image: ImageFacts = {
    name: "web",
    config: { User: "www", Healthcheck: { Test: ["CMD", "true"] } },
    traced: true,
    registries: ["registry.example:5000"],
  };
  expect(faults(imageChecks, image)).toEqual([]);
  expect(faults(imageChecks, { ...image, config: {}, traced: false, registries: ["docker.io"] })).toEqual([
    "image-root",
    "image-health",
    "image-origin",
    "image-registry",
  ]);
  const host: AuditedHost = {
    socketMode: 0o660,
    insecureRegistries: [],
    accessControl: "AppArmor",
    userRange: true,
    makeUserRange: "useradd --system havre",
    ownFileSystem: true,
    root: "/var/lib/havre",
  };
  expect(faults(hostChecks, host)).toEqual(["unsigned"]);
  expect(
    faults(hostChecks, {
      ...host,
      socketMode: 0o666,
      insecureRegistries: ["registry:5000"],
      accessControl: undefined,
      userRange: false,
      ownFileSystem: false,
    }),
  ).toEqual(["socket-mode", "user-range", "access-control", "insecure-registries", "unsigned", "own-file-system"]);
});
