import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId, silentLogger, systemClock } from "../base/mod.ts";
import { check, libcSymbols, openNetworkNamespace } from "../kernel/mod.ts";
import { SqliteStore } from "../store/mod.ts";
import { HostNetworks, type HostNetworksOptions } from "./mod.ts";

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

/** Starts a shell line inside a sandbox and leaves it running. */
export function startInside(namespacePath: string, line: string) {
  const child = spawn("nsenter", [`--net=${namespacePath}`, "sh", "-c", line], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return {
    child,
    stop: async () => {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** Networks with a store in a folder of their own. */
export function testNetworks(bridge: string, options: Partial<HostNetworksOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "havre-networks-"));
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
