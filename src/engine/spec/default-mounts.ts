import type { RuntimeMount } from "../../spec/mod.ts";

/** Kernel file systems every container has, in the order in which they must be mounted (Docker's). */
export function defaultMounts(shmSize: number): RuntimeMount[] {
  const none = ["nosuid", "noexec", "nodev"];
  return [
    { destination: "/proc", type: "proc", source: "proc", options: none },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: [...none, "ro"] },
    { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro", ...none] },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: none },
    { destination: "/dev/shm", type: "tmpfs", source: "shm", options: [...none, "mode=1777", `size=${shmSize}`] },
  ];
}
