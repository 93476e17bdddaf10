import { HavreError, toHavreError } from "../base/mod.ts";
import type { VolumeDriver, VolumeDrivers } from "./driver.ts";
import { findPlugin, type PluginFolders, pluginNames } from "./plugins/discovery.ts";
import { DOCKER_TIMEOUTS, PluginDriver, type PluginTimeouts } from "./plugins/plugin-driver.ts";

/** Milliseconds. */
const LEFT_ALONE = 30_000;

/** The drivers of one host: its own folders, and whoever listens in the plug-in folders now. */
export class Drivers implements VolumeDrivers {
  readonly #local: VolumeDriver;
  readonly #folders: PluginFolders;
  readonly #timeouts: PluginTimeouts;
  readonly #plugins = new Map<string, PluginDriver>();
  readonly #away = new Map<string, number>();
  #held: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(local: VolumeDriver, folders: PluginFolders, timeouts: PluginTimeouts = DOCKER_TIMEOUTS) {
    this.#local = local;
    this.#folders = folders;
    this.#timeouts = timeouts;
  }

  /** `held`: which containers had which volumes when the last daemon ended. */
  adopt(held: ReadonlyMap<string, readonly string[]>): void {
    this.#held = held;
  }

  async get(name: string): Promise<VolumeDriver> {
    return name === this.#local.name ? this.#local : this.#plugin(name, this.#timeouts);
  }

  async #plugin(name: string, timeouts: PluginTimeouts): Promise<VolumeDriver> {
    const known = this.#plugins.get(name);
    const address = findPlugin(this.#folders, name);
    if (known && (address === undefined || address.url === known.url)) return known;
    if (!address)
      throw new HavreError("not-found", `error looking up volume plugin ${name}: plugin "${name}" not found`);
    const plugin = new PluginDriver(address, this.#timeouts);
    for (const [volume, holders] of this.#held) for (const holder of holders) plugin.hold(volume, holder);
    try {
      await plugin.activate(timeouts);
    } catch (error) {
      const { kind, message, hint } = toHavreError(error);
      const text = message.startsWith("error looking up")
        ? message
        : `error looking up volume plugin ${name}: ${message}`;
      throw new HavreError(kind, text, { cause: error, ...(hint === undefined ? {} : { hint }) });
    }
    this.#plugins.set(name, plugin);
    return plugin;
  }

  async others(): Promise<readonly VolumeDriver[]> {
    const { list } = this.#timeouts;
    const waiting = { ...this.#timeouts, short: list, patience: 0 };
    const found = await Promise.allSettled(
      pluginNames(this.#folders)
        .filter((name) => !this.#isAway(name))
        .map(async (name) => {
          try {
            return await this.#plugin(name, waiting);
          } catch (error) {
            this.#away.set(name, performance.now());
            throw error;
          }
        }),
    );
    return found.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  }

  /** One that did not answer is not asked again at once: what only looks around must not wait for it each time. */
  #isAway(name: string): boolean {
    const since = this.#away.get(name);
    return since !== undefined && performance.now() - since < LEFT_ALONE;
  }

  async names(): Promise<readonly string[]> {
    return [this.#local.name, ...pluginNames(this.#folders)];
  }
}
