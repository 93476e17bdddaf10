import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errnoOf, newId, silentLogger, systemClock } from "../base/mod.ts";
import { check, libcSymbols, listLinks, NetlinkSocket, openNetworkNamespace } from "../kernel/mod.ts";
import { SqliteStore } from "../store/mod.ts";
import { HostNetworks, type HostNetworksOptions, type NetworkMode } from "./mod.ts";

const libc = libcSymbols({
  unshare: { args: ["int"], returns: "int" },
  setns: { args: ["int", "int"], returns: "int" },
});
const CLONE_NEWNET = 0x40000000;

/**
 * A network namespace that plays the host: what a test does to bridges, rules and routes reaches nothing else, and all
 * of it is gone with the namespace. The test's thread, and so the programs it starts, are inside until disposal.
 */
export function enterTestHost(): Disposable {
  const home = openNetworkNamespace();
  check(libc().unshare(CLONE_NEWNET), "unshare", "test host");
  sh("ip link set lo up");
  return {
    [Symbol.dispose]: () => {
      check(libc().setns(home.fd, CLONE_NEWNET), "setns", "home");
      home[Symbol.dispose]();
    },
  };
}

/** Runs a shell line, optionally inside a sandbox; returns what it printed. Throws with its errors when it fails. */
export function sh(line: string, namespacePath?: string): string {
  const inside = namespacePath === undefined ? [] : ["nsenter", `--net=${namespacePath}`];
  const [command = "sh", ...args] = [...inside, "sh", "-c", line];
  return execFileSync(command, args, { encoding: "utf8", timeout: 20_000, stdio: ["ignore", "pipe", "pipe"] });
}

/** A container on the default network. */
export const ON_BRIDGE: NetworkMode = { kind: "networks", endpoints: [{ network: "bridge" }] };

/** Names of the interfaces in the thread's namespace. */
export function interfaces(): string[] {
  using socket = new NetlinkSocket();
  return listLinks(socket).map(({ name }) => name);
}

/** How many network namespaces this process holds descriptors of. */
export function heldNamespaces(): number {
  return readdirSync("/proc/self/fd").filter((fd) => linkTarget(`/proc/self/fd/${fd}`).startsWith("net:[")).length;
}

/** The descriptor with which the folder was listed is gone by then. */
function linkTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  }
}

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), "havre-networks-"));
}

/** Networks with a store in a folder of their own. */
export function testNetworks(bridge: string, options: Partial<HostNetworksOptions> = {}, folder = newFolder()) {
  const store = new SqliteStore(join(folder, "state.db"));
  const networks = new HostNetworks({ store, bridge, log: silentLogger, clock: systemClock, newId, ...options });
  return {
    networks,
    store,
    folder,
    dispose: async () => {
      await networks.close();
      store.close();
      rmSync(folder, { recursive: true });
    },
  };
}
