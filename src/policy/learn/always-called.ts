/**
 * System calls that touch nothing but the program's own memory, time, threads and files it has open already. An observed
 * container makes them without asking, and a learned filter always has them: what a library's next version calls of these
 * must not break a program.
 */
export const ALWAYS_CALLED: readonly string[] = `
  read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek _llseek close close_range dup dup2 dup3 fcntl fcntl64
  fstat fstat64 fdatasync fsync ftruncate ftruncate64 fallocate fadvise64 sendfile sendfile64 splice getdents getdents64
  mmap mmap2 mprotect munmap mremap madvise brk msync mincore membarrier pkey_alloc pkey_free pkey_mprotect
  futex futex_time64 futex_wait futex_waitv futex_wake futex_requeue get_robust_list set_robust_list set_tid_address rseq
  poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait
  epoll_pwait2 eventfd eventfd2 pipe pipe2 signalfd signalfd4 timerfd_create timerfd_settime timerfd_settime64 timerfd_gettime
  timerfd_gettime64 recvfrom recvmsg recvmmsg recvmmsg_time64 recv accept accept4 getsockname getpeername getsockopt shutdown
  rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 sigaltstack
  sigreturn restart_syscall pause alarm getitimer setitimer timer_create timer_settime timer_settime64 timer_gettime
  timer_gettime64 timer_delete timer_getoverrun nanosleep clock_nanosleep clock_nanosleep_time64 clock_gettime clock_gettime64
  clock_getres clock_getres_time64 gettimeofday time times getrandom sched_yield sched_getaffinity getcpu getpid getppid gettid
  getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresgid getgroups getgroups32 getpgrp getpgid
  getsid uname sysinfo getrusage umask wait4 waitid waitpid exit exit_group arch_prctl set_thread_area get_thread_area`
  .trim()
  .split(/\s+/);
