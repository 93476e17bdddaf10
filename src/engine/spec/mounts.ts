import { statSync } from "node:fs";
import { normalize } from "node:path";
import { HavreError } from "../../base/mod.ts";
import type { HostConfig, RuntimeMount } from "../../spec/mod.ts";
import type { MountPoint } from "../container.ts";
import { defaultMounts } from "./default-mounts.ts";
import type { SpecInput } from "./input.ts";
import { MountTable } from "./mount-table.ts";
import { INIT_IN_CONTAINER, wantsInit } from "./process.ts";
import { mergeTmpfsOptions, tmpfsData } from "./tmpfs.ts";

export interface MountDecision {
  readonly mounts: readonly RuntimeMount[];
  readonly rootPropagation: "shared" | "rslave" | undefined;
}

/** Destinations that stay writable under a read-only root. */
const ALWAYS_WRITABLE = new Set(["/proc", "/dev/pts", "/dev/shm", "/dev/mqueue", "/dev"]);

function depth(destination: string): number {
  return normalize(destination).split("/").length;
}

/** `ro`, or read-only for what is mounted below too, unless the mount asks otherwise. */
function readOnlyOption(options: BindOptions | undefined): string {
  if (options?.ReadOnlyNonRecursive && options.ReadOnlyForceRecursive)
    throw new HavreError(
      "invalid-argument",
      "mount options conflict: ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive",
    );
  return options?.ReadOnlyNonRecursive ? "ro" : "rro";
}

type BindOptions = NonNullable<NonNullable<SpecInput["spec"]["hostConfig"]["Mounts"]>[number]["BindOptions"]>;

function bindMount(point: MountPoint, options: BindOptions | undefined, table: MountTable): RuntimeMount {
  return {
    destination: point.destination,
    type: "bind",
    source: point.source,
    options: [
      options?.NonRecursive ? "bind" : "rbind",
      ...(point.writable ? [] : [isFile(point.source) ? "ro" : readOnlyOption(options)]),
      ...table.restrictions(point.source),
      ...propagationOption(point.propagation, options),
    ],
  };
}

/** Nothing is mounted below a file; and crun 1.8 opens as a folder what is to be read-only all the way down. */
function isFile(source: string): boolean {
  return statSync(source, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** A recursive propagation word would make crun bind what is mounted below as well. */
function propagationOption(propagation: string, options: BindOptions | undefined): string[] {
  if (propagation === "") return [];
  return [options?.NonRecursive ? propagation.replace(/^r/, "") : propagation];
}

function tmpfsMount(destination: string, data: string): RuntimeMount {
  return { destination, type: "tmpfs", source: "tmpfs", options: mergeTmpfsOptions(data) };
}

/** Binds, volumes and tmpfs as asked, shallow destinations first so that none hides another. */
function requestedMounts({ spec }: SpecInput, table: MountTable): RuntimeMount[] {
  const requests = new Map((spec.hostConfig.Mounts ?? []).map((mount) => [normalize(mount.Target), mount]));
  const tmpfs = new Map(Object.entries(spec.hostConfig.Tmpfs ?? {}));
  for (const [target, mount] of requests) if (mount.Type === "tmpfs") tmpfs.set(target, tmpfsData(mount));
  const binds = spec.mounts
    .filter((point) => point.type !== "tmpfs" && !tmpfs.has(point.destination))
    .map((point) => bindMount(point, requests.get(point.destination)?.BindOptions, table));
  const all = [...binds, ...[...tmpfs].map(([destination, data]) => tmpfsMount(destination, data))];
  return all.sort((a, b) => depth(a.destination) - depth(b.destination));
}

/** The engine's own files over the image's, unless a mount of the user's stands there. */
function networkFiles({ files, spec }: SpecInput, taken: ReadonlySet<string>): RuntimeMount[] {
  const wanted = [
    ["/etc/resolv.conf", files.resolvConf],
    ["/etc/hostname", files.hostname],
    ["/etc/hosts", files.hosts],
  ] as const;
  const options = ["rbind", ...(spec.hostConfig.ReadonlyRootfs ? ["ro"] : []), "rprivate"];
  return wanted.flatMap(([destination, source]) =>
    source === undefined || taken.has(destination) ? [] : [{ destination, type: "bind", source, options }],
  );
}

const SHM_OPTIONS = ["nosuid", "noexec", "nodev"];

function sharedMemory({ shmFolder }: SpecInput, taken: ReadonlySet<string>): RuntimeMount[] {
  if (shmFolder === undefined || taken.has("/dev/shm")) return [];
  return [{ destination: "/dev/shm", type: "bind", source: shmFolder, options: ["rbind", ...SHM_OPTIONS, "rprivate"] }];
}

function initProgram(input: SpecInput): RuntimeMount[] {
  if (!wantsInit(input) || input.initPath === undefined) return [];
  return [{ destination: INIT_IN_CONTAINER, type: "bind", source: input.initPath, options: ["bind", "ro"] }];
}

function without(mount: RuntimeMount, option: string): RuntimeMount {
  return { ...mount, options: (mount.options ?? []).filter((word) => word !== option) };
}

function kernelMounts({ spec, shmFolder }: SpecInput, taken: ReadonlySet<string>): RuntimeMount[] {
  const { hostConfig } = spec;
  return defaultMounts(hostConfig.ShmSize).filter(({ destination }) => {
    if (taken.has(destination)) return false;
    if (taken.has("/dev") && destination.startsWith("/dev/")) return false;
    return destination !== "/dev/shm" || (hostConfig.IpcMode !== "none" && shmFolder === undefined);
  });
}

/** A read-only root takes the engine's own mounts with it; a privileged container may write the kernel's. */
function withRights(mount: RuntimeMount, { Privileged, ReadonlyRootfs }: HostConfig): RuntimeMount {
  const words = mount.options ?? [];
  if (Privileged && (mount.type === "sysfs" || mount.type === "cgroup")) return without(mount, "ro");
  if (!ReadonlyRootfs || ALWAYS_WRITABLE.has(mount.destination) || words.includes("ro")) return mount;
  return { ...mount, options: [...words, "ro"] };
}

/** All mounts of a container in order, and what they need of the root's propagation. */
export function buildMounts(input: SpecInput): MountDecision {
  const table = new MountTable();
  const requested = requestedMounts(input, table);
  const taken = new Set(requested.map((mount) => mount.destination));
  const ownMounts = [
    ...kernelMounts(input, taken),
    ...initProgram(input),
    ...sharedMemory(input, taken),
    ...networkFiles(input, taken),
  ];
  const own = ownMounts.map((mount) => withRights(mount, input.spec.hostConfig));
  let rootPropagation: MountDecision["rootPropagation"];
  for (const point of input.spec.mounts) {
    if (point.type === "tmpfs") continue;
    const needed = table.rootPropagationFor(point.source, point.propagation);
    if (needed === "shared" || (needed && rootPropagation === undefined)) rootPropagation = needed;
  }
  return { mounts: orderBelow(own, requested), rootPropagation };
}

/** The user's mounts come after the kernel's and before the engine's files, which may lie below them (`-v /x:/etc`). */
function orderBelow(own: readonly RuntimeMount[], requested: readonly RuntimeMount[]): RuntimeMount[] {
  const isFile = (mount: RuntimeMount) => mount.destination.startsWith("/etc/");
  return [...own.filter((mount) => !isFile(mount)), ...requested, ...own.filter(isFile)];
}
