import { readFileSync } from "node:fs";
import type { Container } from "../container.ts";
import { hasProcess } from "../lookup.ts";

const LOOK_MS = 50;
/**
 * States in which a client still waits for something (Linux, include/net/tcp_states.h): open both ways, about to open, and
 * closed with output on its way.
 */
const BUSY: ReadonlySet<string> = new Set(["01", "03", "04"]);

/**
 * Waits until nobody is connected to a container's exposed TCP ports, or for so many seconds. Looked at twice: between
 * two requests a client may be about to connect by an address it was told before.
 */
export async function drained(container: Container, seconds: number, signal?: AbortSignal): Promise<void> {
  if (!hasProcess(container)) return;
  const ports = new Set(
    Object.keys({ ...container.spec.config.ExposedPorts, ...container.spec.hostConfig.PortBindings })
      .filter((key) => !key.includes("/") || key.endsWith("/tcp"))
      .map((key) => Number.parseInt(key, 10)),
  );
  const deadline = performance.now() + seconds * 1000;
  let quiet = 0;
  while (quiet < 2 && performance.now() < deadline && !signal?.aborted) {
    quiet = connections(container.status.init.pid, ports) === 0 ? quiet + 1 : 0;
    if (quiet < 2) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Open connections to these ports in a process's network namespace (proc(5), /proc/net/tcp). */
function connections(pid: number, ports: ReadonlySet<number>): number {
  return ["tcp", "tcp6"].reduce((count, table) => {
    const rows = readTable(`/proc/${pid}/net/${table}`).split("\n").slice(1);
    const open = rows.filter((row) => {
      const [, local = "", , state = ""] = row.trim().split(/\s+/);
      return BUSY.has(state) && ports.has(Number.parseInt(local.split(":").at(-1) ?? "", 16));
    });
    return count + open.length;
  }, 0);
}

function readTable(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It has ended: nobody is connected to it.
    return "";
  }
}
