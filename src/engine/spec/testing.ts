/** What tests of specifications stand on: requests with Docker's defaults, a tiny root, a container run by crun itself. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "../../base/mod.ts";
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from "../../policy/mod.ts";
import { type ContainerConfig, encodeForRuntime, type HostConfig } from "../../spec/mod.ts";
import type { ContainerSpec } from "../container.ts";
import { readHostFacts } from "../host-facts.ts";
import { buildRuntimeSpec } from "./build.ts";
import type { BuiltSpec, SpecInput } from "./input.ts";

export function configOf(change: Partial<ContainerConfig> = {}): ContainerConfig {
  return {
    Hostname: "",
    Domainname: "",
    User: "",
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: null,
    Cmd: null,
    Image: "",
    Volumes: null,
    WorkingDir: "",
    Entrypoint: null,
    OnBuild: null,
    Labels: {},
    ...change,
  };
}

export function hostConfigOf(change: Partial<HostConfig> = {}): HostConfig {
  return {
    CpuShares: 0,
    Memory: 0,
    NanoCpus: 0,
    CgroupParent: "",
    BlkioWeight: 0,
    BlkioWeightDevice: null,
    BlkioDeviceReadBps: null,
    BlkioDeviceWriteBps: null,
    BlkioDeviceReadIOps: null,
    BlkioDeviceWriteIOps: null,
    CpuPeriod: 0,
    CpuQuota: 0,
    CpuRealtimePeriod: 0,
    CpuRealtimeRuntime: 0,
    CpusetCpus: "",
    CpusetMems: "",
    Devices: null,
    DeviceCgroupRules: null,
    DeviceRequests: null,
    MemoryReservation: 0,
    MemorySwap: 0,
    MemorySwappiness: null,
    OomKillDisable: false,
    PidsLimit: null,
    Ulimits: null,
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
    Binds: null,
    ContainerIDFile: "",
    LogConfig: { Type: "json-file", Config: {} },
    NetworkMode: "none",
    PortBindings: {},
    RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
    AutoRemove: false,
    VolumeDriver: "",
    VolumesFrom: null,
    ConsoleSize: [0, 0],
    CapAdd: null,
    CapDrop: null,
    CgroupnsMode: "host",
    Dns: null,
    DnsOptions: null,
    DnsSearch: null,
    ExtraHosts: null,
    GroupAdd: null,
    IpcMode: "private",
    Cgroup: "",
    Links: null,
    OomScoreAdj: 0,
    PidMode: "",
    Privileged: false,
    PublishAllPorts: false,
    ReadonlyRootfs: false,
    SecurityOpt: null,
    UTSMode: "",
    UsernsMode: "",
    ShmSize: 64 * 1024 * 1024,
    Runtime: "",
    Isolation: "",
    MaskedPaths: DEFAULT_MASKED_PATHS,
    ReadonlyPaths: DEFAULT_READONLY_PATHS,
    ...change,
  };
}

export function specOf(
  config: Partial<ContainerConfig>,
  hostConfig: Partial<HostConfig> = {},
  mounts: ContainerSpec["mounts"] = [],
): ContainerSpec {
  return {
    config: configOf(config),
    hostConfig: hostConfigOf(hostConfig),
    endpoints: {},
    imageId: undefined,
    chainId: undefined,
    mounts,
    platform: "linux",
  };
}

/** A root file system of a static busybox with the applets the tests use. Made in `folder`. */
export function makeRootfs(folder: string): string {
  const rootfs = join(folder, "rootfs");
  for (const name of ["bin", "etc", "proc", "sys", "dev", "tmp", "root", "sbin"])
    mkdirSync(join(rootfs, name), { recursive: true });
  const busybox = Bun.which("busybox");
  if (busybox === null) throw new Error("These tests need busybox (package busybox-static)");
  cpSync(busybox, join(rootfs, "bin/busybox"));
  const applets = execFileSync(busybox, ["--list"], { encoding: "utf8" }).trim().split("\n");
  for (const applet of applets) if (applet !== "busybox") symlinkSync("busybox", join(rootfs, "bin", applet));
  writeFileSync(
    join(rootfs, "etc/passwd"),
    "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1001:Ann:/home/ann:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
  );
  writeFileSync(join(rootfs, "etc/group"), "root:x:0:\nstaff:x:50:ann,bob\nann:x:1001:\naudio:x:29:ann\nvideo:x:44:\n");
  return rootfs;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly built: BuiltSpec;
}

/**
 * A folder for a test's containers, run by crun with nothing between; gone with its root when disposed. Cgroups are
 * below a parent of its own.
 */
export class Bench implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "havre-spec-"));
  readonly rootfs = makeRootfs(this.folder);
  readonly cgroupParent = `/havre-spec-${newId().slice(0, 8)}`;
  readonly #host = readHostFacts();

  input(spec: ContainerSpec, change: Partial<SpecInput> = {}): SpecInput {
    return {
      id: newId(),
      spec,
      rootfs: this.rootfs,
      sandbox: { namespacePath: undefined, endpoints: [] },
      files: {},
      shared: {},
      cgroupParent: this.cgroupParent,
      host: this.#host,
      ...change,
    };
  }

  /** Builds, runs to the end, deletes. */
  run(spec: ContainerSpec, change: Partial<SpecInput> = {}): Outcome {
    const input = this.input(spec, change);
    const built = buildRuntimeSpec(input);
    const bundle = join(this.folder, input.id);
    mkdirSync(bundle);
    writeFileSync(join(bundle, "config.json"), encodeForRuntime(built.spec));
    const state = join(this.folder, "state");
    const crun = `crun --root ${state} run --bundle ${bundle} ${input.id}`;
    // crun refuses a hybrid hierarchy: it is run where the unified tree cannot be seen.
    const script = `[ ! -e /sys/fs/cgroup/unified ] || umount /sys/fs/cgroup/unified; exec ${crun}`;
    const result = spawnSync("unshare", ["--mount", "--propagation", "slave", "sh", "-c", script], {
      encoding: "utf8",
      timeout: 20_000,
      stdio: ["ignore", "pipe", "pipe"],
    });
    return { code: result.status ?? -1, stdout: result.stdout, stderr: result.stderr, built };
  }

  /** Standard output of a shell script in a container; throws with the error output when it fails. */
  sh(script: string, hostConfig: Partial<HostConfig> = {}, config: Partial<ContainerConfig> = {}): string {
    const outcome = this.run(specOf({ Cmd: ["/bin/sh", "-c", script], ...config }, hostConfig));
    if (outcome.code !== 0) throw new Error(`exit ${outcome.code}: ${outcome.stderr}${outcome.stdout}`);
    return outcome.stdout.trimEnd();
  }

  [Symbol.dispose](): void {
    const base = "/sys/fs/cgroup";
    for (const controller of ["", ...readdirSync(base)]) {
      const group = join(base, controller, this.cgroupParent);
      if (existsSync(group)) execFileSync("rmdir", [group]);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
