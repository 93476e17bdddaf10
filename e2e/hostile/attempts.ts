/** What a hostile container tries, as shell scripts for busybox that exit with 0 only when they got what they wanted. */
export interface Attempt {
  readonly practice: string;
  readonly name: string;
  readonly script: string;
  /** Flags it is run with, under every profile. */
  readonly flags?: readonly string[];
  readonly image?: "bb" | "bb-setuid";
  /** Where it works, which shows that the attempt can: flags of `havre run` besides. */
  readonly works: readonly string[];
  /** What under `hardened` says so: in its output, in the refusal of the run, or in `havre why`. */
  readonly told: RegExp;
}

const DOCKER = ["--profile", "docker"];
const OPEN = ["--profile", "open"];

export const ATTEMPTS: readonly Attempt[] = [
  {
    practice: "read-only root",
    name: "leaves a program of its own among the image's",
    script: "cp /bin/busybox /bin/evil",
    works: DOCKER,
    told: /root file system: read-only/,
  },
  {
    practice: "read-only root",
    name: "adds a user to /etc/passwd",
    script: "echo evil::0:0::/:/bin/sh >> /etc/passwd",
    works: DOCKER,
    told: /root file system: read-only/,
  },
  {
    practice: "volumes",
    name: "mounts the host's /etc",
    script: "test -e /host/hostname",
    flags: ["-v", "/etc:/host"],
    works: DOCKER,
    told: /The mount of \/etc is denied/,
  },
  {
    practice: "volumes",
    name: "has the engine's socket",
    script: "test -S /havre.sock",
    flags: ["-v", "SOCKET:/havre.sock"],
    works: DOCKER,
    told: /havre\.sock is denied/,
  },
  {
    practice: "network",
    name: "takes the host's network",
    script: "true",
    flags: ["--network", "host"],
    works: DOCKER,
    told: /--network host is denied/,
  },
  {
    practice: "network",
    name: "sends what it likes on the wire (ARP)",
    script: "arping -A -c 1 -w 2 -I eth0 $(hostname -i)",
    works: DOCKER,
    told: /CAP_NET_RAW|raw socket/,
  },
  {
    practice: "network",
    name: "gives itself another address",
    script: "ip addr add 10.99.99.99/32 dev eth0",
    works: OPEN,
    told: /CAP_NET_ADMIN/,
  },
  {
    practice: "ports",
    name: "takes a port below 1024",
    script: "timeout 1 nc -l -p 80; test $? = 143 -o $? = 124",
    works: DOCKER,
    told: /ports inside: those below 1024/,
  },
  {
    practice: "user",
    name: "is root outside",
    script: "awk '{exit $2 != 0}' /proc/self/uid_map",
    works: DOCKER,
    told: /^$/,
  },
  {
    practice: "user",
    name: "becomes root by a setuid program",
    script: 'test "$(/bin/su -c "id -u" root)" = 0',
    flags: ["--user", "1000"],
    image: "bb-setuid",
    works: DOCKER,
    told: /new privileges/,
  },
  {
    practice: "user",
    name: "is privileged",
    script: "true",
    flags: ["--privileged"],
    works: DOCKER,
    told: /--privileged is denied/,
  },
  {
    practice: "user",
    name: "gives a file to another user",
    script: "touch /tmp/f && chown 5 /tmp/f",
    works: DOCKER,
    told: /CAP_CHOWN/,
  },
  {
    practice: "minimal",
    name: "mounts a file system",
    script: "mount -t tmpfs none /tmp",
    works: OPEN,
    told: /CAP_SYS_ADMIN/,
  },
  {
    practice: "minimal",
    name: "nests a user namespace to get capabilities",
    script: "unshare -U true",
    works: OPEN,
    told: /CAP_SYS_ADMIN/,
  },
  {
    practice: "minimal",
    name: "changes root to get out of it",
    script: "mkdir /tmp/r && cp /bin/busybox /tmp/r && chroot /tmp/r /busybox true",
    works: DOCKER,
    told: /CAP_SYS_CHROOT/,
  },
  {
    practice: "minimal",
    name: "makes a device of the host's disk",
    script: "mknod /tmp/disk b 254 0",
    works: DOCKER,
    told: /CAP_MKNOD/,
  },
  {
    practice: "minimal",
    name: "writes a setting of the kernel",
    script: "v=$(cat /proc/sys/kernel/panic) && echo $v > /proc/sys/kernel/panic",
    works: OPEN,
    told: /kernel files/,
  },
  {
    practice: "minimal",
    name: "reads the kernel's timers",
    script: 'test -n "$(head -c 1 /proc/timer_list)"',
    works: OPEN,
    told: /^$/,
  },
  {
    practice: "minimal",
    name: "reads the kernel's log",
    script: "dmesg -s 100",
    works: OPEN,
    told: /^$/,
  },
  {
    practice: "minimal",
    name: "sets how fast the host's clock goes",
    script: "adjtimex -q -t 10000 2>&1 | tee /tmp/said; ! grep -q permitted /tmp/said",
    works: OPEN,
    told: /CAP_SYS_TIME/,
  },
  {
    practice: "minimal",
    name: "sees the host's processes",
    script: "true",
    flags: ["--pid", "host"],
    works: DOCKER,
    told: /--pid host is denied/,
  },
  {
    practice: "minimal",
    name: "hides a program below /dev",
    script: "cp /bin/busybox /dev/sh && /dev/sh -c true",
    works: DOCKER,
    told: /Landlock: no file is put below \/dev/,
  },
  {
    practice: "minimal",
    name: "tells the kernel to kill others before it",
    script: "echo 0 > /proc/self/oom_score_adj",
    works: DOCKER,
    told: /Landlock: nothing is written below \/proc/,
  },
  {
    practice: "minimal",
    name: "mounts with the capability for it",
    script: "mount -t tmpfs none /tmp",
    flags: ["--grant", "cap:sys_admin"],
    works: ["--profile", "hardened", "--grant", "any-path"],
    told: /Landlock: nothing is mounted/,
  },
  {
    practice: "minimal",
    name: "makes a read-only mount writable again",
    script: "mount -o remount,bind,rw /",
    flags: ["--grant", "cap:sys_admin", "--security-opt", "seccomp=unconfined", "--grant", "all-syscalls"],
    works: ["--profile", "open"],
    told: /Landlock: nothing is mounted/,
  },
  {
    practice: "ports",
    name: "opens a port that nobody declared",
    script: "timeout 1 nc -l -p 8099; test $? = 143 -o $? = 124",
    works: DOCKER,
    told: /others are published or declared/,
  },
  {
    practice: "limits",
    name: "starts processes without end",
    script: "for i in $(seq 700); do sleep 5 & done",
    works: DOCKER,
    told: /its processes are limited/,
  },
  {
    practice: "limits",
    name: "takes memory without end",
    script: "dd if=/dev/zero of=/dev/null bs=1200M count=1",
    works: DOCKER,
    told: /its memory is limited/,
  },
  {
    practice: "limits",
    name: "fills the disk through /tmp",
    script: "dd if=/dev/zero of=/tmp/f bs=1M count=100",
    works: DOCKER,
    told: /^$/,
  },
];
