import { join } from "node:path";
import { lineLogger, newId, systemClock } from "../base/mod.ts";
import { containerKind } from "../engine/mod.ts";
import { HostNetworks, removePortRules } from "../networks/mod.ts";
import { OverlaySnapshotter } from "../snapshots/mod.ts";
import { SqliteStore } from "../store/mod.ts";
import { makeFolders } from "./folders.ts";
import { networkOptions } from "./network-options.ts";
import type { DaemonOptions } from "./options.ts";

/**
 * Takes a stopped daemon's bridge, firewall rules and mounted layers off the host; data stays. `conflict` while that daemon runs,
 * `failed-precondition` while containers are joined to the bridge.
 */
export async function cleanUp(options: DaemonOptions): Promise<void> {
  const { bridge } = options;
  makeFolders(options);
  const log = lineLogger((line) => process.stderr.write(line), options.logLevel);
  const store = new SqliteStore(join(options.root, "state.db"));
  try {
    const networks = new HostNetworks({
      store,
      bridge,
      log,
      clock: systemClock,
      newId,
      ...networkOptions(options),
    });
    await networks.recover(new Map(store.view((tx) => tx.list(containerKind).map(({ id }) => [id, undefined]))));
    await networks.tearDown();
    await removePortRules(bridge);
    // A killed daemon left its layers mounted; containers keep what they stand on.
    new OverlaySnapshotter(options.root, log).hide();
  } finally {
    store.close();
  }
}
