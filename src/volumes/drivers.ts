import { HavreError } from "../base/mod.ts";
import type { VolumeDriver, VolumeDrivers } from "./driver.ts";

/** The drivers of one host. */
export class Drivers implements VolumeDrivers {
  readonly #local: VolumeDriver;

  constructor(local: VolumeDriver) {
    this.#local = local;
  }

  async get(name: string): Promise<VolumeDriver> {
    if (name === this.#local.name) return this.#local;
    throw new HavreError("not-found", `error looking up volume plugin ${name}: plugin "${name}" not found`);
  }

  async others(): Promise<readonly VolumeDriver[]> {
    return [];
  }

  async names(): Promise<readonly string[]> {
    return [this.#local.name];
  }
}
