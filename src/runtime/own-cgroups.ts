import { type Clock, HavreError } from "../base/mod.ts";
import {
  applyLimitsV1,
  type CgroupHost,
  freezeV1,
  isFrozen,
  makeCgroupV1,
  standsStillV1,
  taskFilesV1,
} from "../kernel/mod.ts";
import type { DeviceRule, RuntimeResources } from "../spec/mod.ts";
import { blindToUnifiedTree, type Call, canHideMounts, hasHybridControllers } from "./hybrid-cgroups.ts";
import type { ContainerRecord } from "./records.ts";
import type { RuntimeBinary } from "./runtime-command.ts";

/** What every OCI runtime adds to a container's device rules: making any node, using the ones it makes itself. */
const RUNTIME_DEVICE_RULES: readonly DeviceRule[] = [
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  ...[
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 1],
    [5, 2],
    [136, -1],
  ].map(([major = -1, minor = -1]) => ({ allow: true, type: "c", major, minor, access: "rwm" }) as const),
];

/** Makes a container's cgroup with its limits. */
function makeOwnCgroup(host: CgroupHost, path: string, resources: RuntimeResources = {}): void {
  makeCgroupV1(host, path, { ...resources, devices: [...(resources.devices ?? []), ...RUNTIME_DEVICE_RULES] });
}

/** Moves itself by the files named before `--`, then becomes the command behind it. */
const ENTER = 'while [ "$1" != -- ]; do echo 0 >"$1" || exit 1; shift; done; shift; ';

/** `binary` run from inside the cgroup, which crun is told to leave alone. `before`: a shell command to do first. */
function enteringCgroup(host: CgroupHost, path: string, binary: RuntimeBinary, before = ""): RuntimeBinary {
  const files = taskFilesV1(host, path);
  const command = [binary.path, ...binary.args, "--cgroup-manager=disabled"];
  return { path: "/bin/sh", args: ["-c", `${ENTER}${before}exec "$@"`, "havre-enter", ...files, "--", ...command] };
}

/** Milliseconds a cgroup may take to come to a stop. */
const FREEZE_PATIENCE = 10_000;

/** Stops every process of the cgroup and returns once they stand still. `deadline-exceeded` when one does not. */
async function freezeOwnCgroup(host: CgroupHost, path: string, clock: Clock): Promise<void> {
  freezeV1(host, path, true);
  const limit = clock.now() + FREEZE_PATIENCE;
  for (let wait = 1; !standsStillV1(host, path); wait = Math.min(wait * 2, 50)) {
    if (clock.now() > limit) {
      freezeV1(host, path, false);
      throw new HavreError("deadline-exceeded", "A process of the container cannot be paused now");
    }
    await clock.sleep(wait);
    freezeV1(host, path, true);
  }
}

/**
 * On version 1 cgroups Havre keeps crun's cgroups itself. crun moves the container's process through `cgroup.procs`,
 * for which the kernel stops all forks and waits for a grace period in every tree (6 to 14 ms a start). A thread that
 * moves itself through `tasks` waits for nothing: so a shell moves itself and becomes crun, whose children are born in
 * the right place.
 */
export class OwnCgroups {
  readonly #host: CgroupHost;
  readonly #clock: Clock;
  /** Whether mounts can be hidden from one process without a helper; asked once. */
  #canHide: boolean | undefined;

  constructor(host: CgroupHost, clock: Clock) {
    this.#host = host;
    this.#clock = clock;
  }

  /** The path of a container's cgroup when it is Havre's own to change; undefined: the runtime's. */
  pathOf(record: ContainerRecord | undefined): string | undefined {
    return record?.runtime === "crun" && this.#host.version === 1 ? record.cgroupsPath : undefined;
  }

  /** Makes the container's cgroup with its limits, where it is Havre's own. */
  make(record: ContainerRecord, resources: RuntimeResources | undefined): void {
    const path = this.pathOf(record);
    if (path !== undefined) makeOwnCgroup(this.#host, path, resources);
  }

  /**
   * How the runtime is called to create: from inside the new cgroup (`make`), and blind to what it would refuse, where
   * that is needed. `others`: where the trees of other containers are mounted.
   */
  creating(record: ContainerRecord, plain: RuntimeBinary, others: readonly string[]): Call {
    const path = this.pathOf(record);
    const within = <T>(start: () => T) => start();
    if (path === undefined) return { binary: plain, within };
    const call = (before: string) => enteringCgroup(this.#host, path, plain, before);
    if (!hasHybridControllers()) return { binary: call(""), within };
    this.#canHide ??= canHideMounts(record.rootfs);
    return blindToUnifiedTree(call, others, this.#canHide);
  }

  /** How the runtime is called for a further process of the container. */
  entering(record: ContainerRecord | undefined, plain: RuntimeBinary): RuntimeBinary {
    const path = this.pathOf(record);
    return path === undefined ? plain : enteringCgroup(this.#host, path, plain);
  }

  freeze(path: string): Promise<void> {
    return freezeOwnCgroup(this.#host, path, this.#clock);
  }

  /**
   * Resolves when every process of a cgroup that a runtime has frozen stands still. crun only asks version 2's freezer:
   * a process goes on until the scheduler comes by it, a throttled one for a whole period. False: one does not stop.
   */
  async standsStill(path: string): Promise<boolean> {
    const limit = this.#clock.now() + FREEZE_PATIENCE;
    for (let wait = 1; !isFrozen(this.#host, path); wait = Math.min(wait * 2, 50)) {
      if (this.#clock.now() > limit) return false;
      await this.#clock.sleep(wait);
    }
    return true;
  }

  thaw(path: string): void {
    freezeV1(this.#host, path, false);
  }

  update(path: string, resources: RuntimeResources): void {
    applyLimitsV1(this.#host, path, resources);
  }
}
