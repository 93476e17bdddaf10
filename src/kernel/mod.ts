/**
 * The only door to Linux: mounts, namespaces, cgroups v1 and v2, netlink, nftables, xattrs, processes.
 *
 * Nothing here knows of containers. Every call that can fail throws a HavreError whose message names the call and its
 * object and whose cause carries the errno name as `code`.
 */

export * from "./apparmor.ts";
export * from "./btrfs.ts";
export * from "./cgroup.ts";
export * from "./cgroup-counters.ts";
export * from "./cgroup-stats.ts";
export * from "./cgroup-v1.ts";
export * from "./conntrack.ts";
export * from "./descriptor-socket.ts";
export * from "./directory.ts";
export * from "./exchange.ts";
export * from "./file-copy.ts";
export * from "./file-lock.ts";
export * from "./file-stat.ts";
export * from "./file-system.ts";
export * from "./files.ts";
export { listFirewalldInterfaces, trustInFirewalld } from "./firewalld.ts";
export * from "./interface.ts";
export * from "./interface-counters.ts";
export * from "./libc.ts";
export * from "./mapped-mount.ts";
export * from "./mount.ts";
export * from "./mount-namespace.ts";
export * from "./netlink.ts";
export * from "./netlink-message.ts";
export * from "./netlink-route.ts";
export * from "./netns.ts";
export * from "./network-sockets.ts";
export * from "./nftables.ts";
export * from "./nftables-elements.ts";
export * from "./nftables-netlink.ts";
export * from "./nftables-watch.ts";
export * from "./pipe.ts";
export * from "./port-holders.ts";
export * from "./port-socket.ts";
export * from "./probe.ts";
export * from "./process.ts";
export * from "./program.ts";
export * from "./program-pages.ts";
export * from "./readiness.ts";
export * from "./sealed-file.ts";
export * from "./seccomp-listener.ts";
export * from "./seqpacket.ts";
export * from "./socket-type.ts";
export * from "./system-call-names.ts";
export * from "./terminal.ts";
export * from "./trace-instance.ts";
export * from "./tree-path.ts";
export * from "./user-namespace.ts";
export * from "./xattr.ts";
