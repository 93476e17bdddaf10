import type { ProfileRule, SourceProfile } from "./seccomp-profile.ts";

/**
 * The default system call filter, by the facts of Docker's default profile (moby 26.1): everything refused with EPERM
 * but what is listed. What is left out is what reaches past a container: mounting, modules, kexec, keyrings, clocks,
 * namespaces, swap, quotas, io_uring, userfaultfd, NUMA policy. A capability gives back what it governs.
 */

const FILES = `
  access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
  fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync
  fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64
  futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl lchown
  lchown32 lgetxattr link linkat listxattr llistxattr lremovexattr lseek _llseek lsetxattr lstat lstat64 mkdir mkdirat mknod
  mknodat name_to_handle_at newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read
  readahead readlink readlinkat readv removexattr rename renameat renameat2 rmdir sendfile sendfile64 setxattr splice stat
  stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat
  utime utimensat utimensat_time64 utimes vmsplice write writev`;

const ASYNCHRONOUS_IO = `
  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2
  io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit _newselect poll ppoll ppoll_time64
  pselect6 pselect6_time64 select`;

const MEMORY = `
  brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2
  mprotect mremap msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease remap_file_pages`;

const PROCESSES = `
  capget capset execve execveat exit exit_group fork getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32
  getpgid getpgrp getpid getppid getpriority getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid gettid
  getuid getuid32 ioprio_get ioprio_set landlock_add_rule landlock_create_ruleset landlock_restrict_self pidfd_open
  pidfd_send_signal prctl prlimit64 sched_getaffinity sched_getattr sched_getparam sched_get_priority_max
  sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity
  sched_setattr sched_setparam sched_setscheduler sched_yield seccomp setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32
  setgroups setgroups32 setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid
  setreuid32 setrlimit setsid setuid setuid32 times ugetrlimit vfork wait4 waitid waitpid`;

const THREADS_AND_SIGNALS = `
  futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake getcpu get_robust_list get_thread_area kill pause
  restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
  rt_sigtimedwait_time64 rt_tgsigqueueinfo set_robust_list set_thread_area set_tid_address sigaltstack signalfd signalfd4
  sigprocmask sigreturn tgkill tkill`;

const SOCKETS_AND_IPC = `
  accept accept4 bind connect getpeername getsockname getsockopt ipc listen mq_getsetattr mq_notify mq_open mq_timedreceive
  mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd recv recvfrom recvmmsg
  recvmmsg_time64 recvmsg semctl semget semop semtimedop semtimedop_time64 send sendmmsg sendmsg sendto setsockopt shmat
  shmctl shmdt shmget shutdown socketcall socketpair`;

const TIME_AND_SYSTEM = `
  adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
  clock_nanosleep_time64 getitimer getrandom gettimeofday nanosleep setitimer sysinfo time timer_create timer_delete
  timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime
  timerfd_gettime64 timerfd_settime timerfd_settime64 uname`;

const ALLOW = "SCMP_ACT_ALLOW";
const ENOSYS = 38;
const AF_VSOCK = 40;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET: making namespaces needs CAP_SYS_ADMIN. */
const NEW_NAMESPACES = 0x7e020000;
/** Linux, 32-bit uname, no address randomisation, both, and "tell me". */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];
const S390 = ["s390", "s390x"];

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function allow(names: string, when: Partial<ProfileRule> = {}): ProfileRule {
  return { names: words(names), action: ALLOW, ...when };
}

function withCapability(capability: string, names: string): ProfileRule {
  return allow(names, { includes: { caps: [capability] } });
}

function onArchitecture(arches: readonly string[], names: string): ProfileRule {
  return allow(names, { includes: { arches } });
}

/** Flags are clone's first argument but for s390, where they are the second. */
function cloneWithoutNamespaces(index: number): Pick<ProfileRule, "args"> {
  return { args: [{ index, value: NEW_NAMESPACES, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }] };
}

/** Docker's default profile before it is resolved for a host and a container's capabilities. */
export function defaultSeccompProfile(): SourceProfile {
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 1,
    archMap: [
      { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] },
      { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
      { architecture: "SCMP_ARCH_S390X", subArchitectures: ["SCMP_ARCH_S390"] },
      { architecture: "SCMP_ARCH_RISCV64", subArchitectures: [] },
    ],
    syscalls: [
      allow(
        [FILES, ASYNCHRONOUS_IO, MEMORY, PROCESSES, THREADS_AND_SIGNALS, SOCKETS_AND_IPC, TIME_AND_SYSTEM].join(" "),
      ),
      // Before 4.8 ptrace could be used to step around a seccomp filter.
      allow("process_vm_readv process_vm_writev ptrace", { includes: { minKernel: "4.8" } }),
      // A vsock reaches the hypervisor past every network namespace.
      allow("socket", { args: [{ index: 0, value: AF_VSOCK, op: "SCMP_CMP_NE" }] }),
      ...PERSONALITIES.map((value) => allow("personality", { args: [{ index: 0, value, op: "SCMP_CMP_EQ" }] })),
      onArchitecture(["ppc64le"], "sync_file_range2 swapcontext"),
      onArchitecture(
        ["arm", "arm64"],
        "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
      ),
      onArchitecture(["amd64", "x32"], "arch_prctl"),
      onArchitecture(["amd64", "x32", "x86"], "modify_ldt"),
      onArchitecture(S390, "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr"),
      onArchitecture(["riscv64"], "riscv_flush_icache"),
      withCapability("CAP_DAC_READ_SEARCH", "open_by_handle_at"),
      withCapability(
        "CAP_SYS_ADMIN",
        `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount open_tree
         perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare`,
      ),
      allow("clone", { ...cloneWithoutNamespaces(0), excludes: { caps: ["CAP_SYS_ADMIN"], arches: S390 } }),
      allow("clone", {
        ...cloneWithoutNamespaces(1),
        includes: { arches: S390 },
        excludes: { caps: ["CAP_SYS_ADMIN"] },
      }),
      // Its flags are behind a pointer that a filter cannot read; ENOSYS makes the C library fall back to clone.
      { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS, excludes: { caps: ["CAP_SYS_ADMIN"] } },
      withCapability("CAP_SYS_BOOT", "reboot"),
      withCapability("CAP_SYS_CHROOT", "chroot"),
      withCapability("CAP_SYS_MODULE", "delete_module init_module finit_module"),
      withCapability("CAP_SYS_PACCT", "acct"),
      withCapability("CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace"),
      withCapability("CAP_SYS_RAWIO", "iopl ioperm"),
      withCapability("CAP_SYS_TIME", "settimeofday stime clock_settime clock_settime64"),
      withCapability("CAP_SYS_TTY_CONFIG", "vhangup"),
      withCapability("CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
      withCapability("CAP_SYSLOG", "syslog"),
      withCapability("CAP_BPF", "bpf"),
      withCapability("CAP_PERFMON", "perf_event_open"),
    ],
  };
}
