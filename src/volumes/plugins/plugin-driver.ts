import { HavreError, isHavreError } from "../../base/mod.ts";
import type { DriverVolume, Scope, VolumeDriver } from "../driver.ts";
import { callPlugin } from "./call.ts";
import { isRecord, type PluginAddress } from "./discovery.ts";

/** Milliseconds. Docker's: a minute for what is looked up, two for what may work. */
export interface PluginTimeouts {
  readonly short: number;
  readonly long: number;
  /** What those wait who only look around. */
  readonly list: number;
  /** For one that is being restarted, before a call that changes something. */
  readonly patience: number;
}

export const DOCKER_TIMEOUTS: PluginTimeouts = { short: 60_000, long: 120_000, list: 5000, patience: 5000 };

/** Volumes of a plug-in's process, by Docker's volume plug-in protocol. */
export class PluginDriver implements VolumeDriver {
  readonly name: string;
  readonly #plugin: PluginAddress;
  readonly #timeouts: PluginTimeouts;
  readonly #mounted = new Map<string, Set<string>>();
  #scope: Scope | undefined;

  constructor(plugin: PluginAddress, timeouts: PluginTimeouts) {
    this.name = plugin.name;
    this.#plugin = plugin;
    this.#timeouts = timeouts;
  }

  get url(): string {
    return this.#plugin.url;
  }

  /** Makes sure that it is one for volumes. `not-found` in Docker's words. */
  async activate({ short, patience }: PluginTimeouts): Promise<void> {
    const { Implements } = await this.#call("Plugin.Activate", undefined, short, patience);
    if (Array.isArray(Implements) && Implements.includes("VolumeDriver")) return;
    throw new HavreError(
      "not-found",
      `error looking up volume plugin ${this.name}: plugin "${this.name}" does not implement VolumeDriver`,
    );
  }

  async scope(): Promise<Scope> {
    if (this.#scope !== undefined) return this.#scope;
    try {
      const { Capabilities } = await this.#call("VolumeDriver.Capabilities", {}, this.#timeouts.short);
      const scope = isRecord(Capabilities) ? String(Capabilities.Scope).toLowerCase() : "";
      this.#scope = scope === "global" ? "global" : "local";
    } catch (error) {
      // Plug-ins from before this call.
      if (isHavreError(error, "unavailable") || isHavreError(error, "deadline-exceeded")) throw error;
      this.#scope = "local";
    }
    return this.#scope;
  }

  async create(name: string, options: Readonly<Record<string, string>>): Promise<void> {
    await this.#call("VolumeDriver.Create", { Name: name, Opts: options }, this.#timeouts.long);
  }

  async remove(name: string): Promise<void> {
    await this.#call("VolumeDriver.Remove", { Name: name }, this.#timeouts.long);
    this.#mounted.delete(name);
  }

  async mount(name: string, holder: string): Promise<string> {
    const answer = await this.#call("VolumeDriver.Mount", { Name: name, ID: holder }, this.#timeouts.long);
    const path = pathIn(answer);
    if (!path.startsWith("/"))
      throw new HavreError("internal", `Volume plug-in ${this.name} mounted ${name} but does not say where`);
    this.hold(name, holder);
    return path;
  }

  /** Only once for each mount: plug-ins count. */
  async unmount(name: string, holder: string): Promise<void> {
    if (!this.#mounted.get(name)?.has(holder)) return;
    await this.#call("VolumeDriver.Unmount", { Name: name, ID: holder }, this.#timeouts.long);
    this.#mounted.get(name)?.delete(holder);
  }

  hold(name: string, holder: string): void {
    this.#mounted.set(name, (this.#mounted.get(name) ?? new Set()).add(holder));
  }

  async get(name: string): Promise<DriverVolume | undefined> {
    try {
      const { Volume } = await this.#call("VolumeDriver.Get", { Name: name }, this.#timeouts.list, 0);
      return volumeIn(Volume);
    } catch (error) {
      if (isHavreError(error, "unavailable") || isHavreError(error, "deadline-exceeded")) throw error;
      // How a plug-in says that there is no such volume is its own business.
      return undefined;
    }
  }

  async list(): Promise<readonly DriverVolume[]> {
    const { Volumes } = await this.#call("VolumeDriver.List", {}, this.#timeouts.list, 0);
    return Array.isArray(Volumes) ? Volumes.map(volumeIn).filter((volume) => volume !== undefined) : [];
  }

  #call(method: string, body: object | undefined, timeout: number, patience = this.#timeouts.patience) {
    return callPlugin(this.#plugin, method, body, { timeout, patience });
  }
}

function pathIn(answer: Readonly<Record<string, unknown>>): string {
  return typeof answer.Mountpoint === "string" ? answer.Mountpoint : "";
}

function volumeIn(value: unknown): DriverVolume | undefined {
  if (!isRecord(value) || typeof value.Name !== "string" || value.Name === "") return undefined;
  const created = typeof value.CreatedAt === "string" ? Date.parse(value.CreatedAt) : Number.NaN;
  return {
    name: value.Name,
    path: pathIn(value),
    ...(Number.isNaN(created) ? {} : { created }),
    ...(isRecord(value.Status) ? { status: value.Status } : {}),
  };
}
