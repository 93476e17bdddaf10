/** The profile that containers run under when AppArmor is there and nothing else was asked for. */
export const DEFAULT_APPARMOR_PROFILE = "havre-default";
/** Docker's name for its own: who asks for it means the engine's default. */
const DOCKERS_DEFAULT = "docker-default";
const UNCONFINED = "unconfined";

/** The AppArmor profile of a container, by what was asked (`apparmor=`, empty: nothing) and whether it is privileged. */
export function decideAppArmor(asked: string, privileged: boolean): string {
  if (asked === DOCKERS_DEFAULT) return DEFAULT_APPARMOR_PROFILE;
  if (asked !== "") return asked;
  return privileged ? UNCONFINED : DEFAULT_APPARMOR_PROFILE;
}

/** Programs that send signals to containers from outside, where a distribution confines them by profiles of these names. */
export const SIGNAL_SENDERS = ["unconfined", "conmon", "crun", "runc"];

/**
 * The default profile's text (apparmor.d(5)), complete in itself: nothing of /etc/apparmor.d is included. It allows what
 * the other walls (capabilities, seccomp, read-only paths) judge, and shuts what would reach the host although a
 * container has root: mounting, the kernel's settings and memory, other containers' processes.
 */
export function defaultAppArmorProfile(): string {
  const name = DEFAULT_APPARMOR_PROFILE;
  return `profile ${name} flags=(attach_disconnected,mediate_deleted) {
  network,
  capability,
  file,
  umount,

  # Signals and tracing stay among the container's own processes; the engine may send signals.
${SIGNAL_SENDERS.map((sender) => `  signal (receive) peer=${sender},`).join("\n")}
  signal (send,receive) peer=${name},
  ptrace (trace,read,tracedby,readby) peer=${name},

  deny mount,

  # Of /proc only the folders of processes, and of its settings only those of System V shared memory.
  deny /proc/* w,
  deny /proc/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9]*}/** w,
  deny /proc/sys/[^k]** w,
  deny /proc/sys/kernel/{?,??,[^s][^h][^m]**} w,
  deny /proc/sysrq-trigger rwklx,
  deny /proc/kcore rwklx,

  # Of /sys only the control groups.
  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/fs/cg[^r]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,
}
`;
}
