const PATHS =
  /^(open|creat|mkdir|rmdir|unlink|rename|link|symlink|mknod|truncate|access|faccess|stat|lstat|newfstat|fstatat|chdir|chroot|execve|chmod|fchmod|chown|lchown|fchown|utime|futimes|readlink|getxattr|lgetxattr|setxattr|lsetxattr|listxattr|inotify|connect|bind|statfs)/;

/**
 * Which calls a capability decides (capabilities(7)). The kernel asks for others on its way (memory accounting asks for
 * SYS_ADMIN, a pipe for SYS_RESOURCE): what it asked for outside these decided nothing.
 */
const CALLS: Readonly<Record<string, RegExp>> = {
  CAP_CHOWN: /chown/,
  CAP_DAC_OVERRIDE: PATHS,
  CAP_DAC_READ_SEARCH: PATHS,
  CAP_FOWNER: /^(f?chmod|utime|futimes|unlink|rmdir|rename|open|l?setxattr|l?removexattr)/,
  CAP_KILL: /^(kill|tkill|tgkill|rt_(tg)?sigqueueinfo|pidfd_send_signal)$/,
  CAP_SETGID: /^(set(re|res|fs)?gid|setgroups)/,
  CAP_SETUID: /^set(re|res|fs)?uid/,
  CAP_SETPCAP: /^(prctl|capset)$/,
  CAP_LINUX_IMMUTABLE: /^ioctl$/,
  CAP_NET_BIND_SERVICE: /^bind$/,
  CAP_NET_BROADCAST: /^(setsockopt|bind)$/,
  CAP_NET_ADMIN: /^(setsockopt|ioctl|sendto|sendm+sg)$/,
  CAP_NET_RAW: /^(socket|setsockopt|ioctl)$/,
  CAP_IPC_LOCK: /^(mlock|shmctl)/,
  CAP_IPC_OWNER: /^(shm|sem|msg)/,
  CAP_SYS_MODULE: /module$/,
  CAP_SYS_RAWIO: /^(io(pl|perm|ctl)|open)/,
  CAP_SYS_CHROOT: /^(chroot|setns)$/,
  CAP_SYS_PTRACE: /^(ptrace|process_vm|kcmp|open|readlink|pidfd_getfd)/,
  CAP_SYS_PACCT: /^acct$/,
  CAP_SYS_ADMIN:
    /^(mount|umount|unshare|setns|sethostname|setdomainname|pivot_root|bpf|quotactl|swap|syslog|keyctl|ioctl|fsopen|fsmount|move_mount|open_tree|mount_setattr|perf_event_open|l?setxattr|fanotify_init|seccomp|lookup_dcookie)/,
  CAP_SYS_BOOT: /^(reboot|kexec)/,
  CAP_SYS_NICE: /^(setpriority|sched_set|ioprio_set|nice|migrate_pages|move_pages|mbind)/,
  CAP_SYS_RESOURCE: /^(setrlimit|prlimit64|quotactl|mq_open|ioctl)$/,
  CAP_SYS_TIME: /^(settimeofday|clock_settime|clock_adjtime|adjtimex|stime)/,
  CAP_SYS_TTY_CONFIG: /^(vhangup|ioctl)$/,
  CAP_MKNOD: /^mknod/,
  CAP_LEASE: /^fcntl/,
  CAP_AUDIT_WRITE: /^sendto$|^sendmsg$/,
  CAP_AUDIT_CONTROL: /^sendto$|^sendmsg$/,
  CAP_SETFCAP: /^l?setxattr|^fsetxattr|^write$|^open/,
  CAP_SYSLOG: /^(syslog|open)/,
  CAP_PERFMON: /^(perf_event_open|bpf)$/,
  CAP_BPF: /^bpf$/,
  CAP_CHECKPOINT_RESTORE: /^(clone3|open|prctl)/,
};

/** Whether the capability decides the call. */
export function decidesCall(capability: string, call: string): boolean {
  return CALLS[capability]?.test(call) ?? false;
}

/** What a call that failed for want of a right usually needs, where the kernel does not tell which it asked for. */
export function usualCapability(call: string): string | undefined {
  if (/chown/.test(call)) return "CAP_CHOWN";
  const own = Object.entries(CALLS).filter(([, calls]) => calls !== PATHS && calls.test(call));
  return own.length === 1 ? own[0]?.[0] : undefined;
}
