import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { PortProtocol } from "./port-socket.ts";

/** A process that has a socket on a port. */
export interface PortHolder {
  readonly pid: number;
  readonly name: string;
}

const LISTEN = "0A";

/** Processes of this host that listen on a port, or have it bound (`/proc/net`, proc(5)). Empty when none can be named. */
export function findPortHolders(protocol: PortProtocol, port: number): readonly PortHolder[] {
  if (protocol === "sctp") return [];
  const inodes = new Set([
    ...socketInodes(`/proc/net/${protocol}`, port),
    ...socketInodes(`/proc/net/${protocol}6`, port),
  ]);
  if (inodes.size === 0) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => holdsOneOf(pid, inodes))
    .map((pid) => ({ pid: Number(pid), name: processName(pid) }));
}

function socketInodes(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  return readOrEmpty(table)
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, local = "", , state = "", , , , , , inode = "0"] = line.trim().split(/\s+/);
      const held = local.endsWith(`:${wanted}`) && (state === LISTEN || !table.includes("tcp"));
      return held && inode !== "0" ? [inode] : [];
    });
}

function holdsOneOf(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOrEmpty(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    });
  } catch {
    // It ended meanwhile, or is a kernel thread of which nothing is to be seen.
    return false;
  }
}

function processName(pid: string): string {
  return readOrEmpty(`/proc/${pid}/comm`).trim();
}

function linkOrEmpty(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
