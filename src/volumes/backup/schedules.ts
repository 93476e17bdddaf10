import { type Clock, HavreError, type Logger, toHavreError } from "../../base/mod.ts";
import { defineKind, type Store } from "../../store/mod.ts";
import type { VolumeBackups } from "./backups.ts";
import type { Retention } from "./retention.ts";

/** A volume that is backed up again and again into a folder. */
export interface VolumeSchedule {
  /** Its name. */
  readonly id: string;
  readonly created: number;
  readonly spec: {
    readonly volume: string;
    /** The folder of backups. */
    readonly target: string;
    /** Milliseconds from one begin to the next. */
    readonly every: number;
    readonly pause: boolean;
    /** Public keys it is locked for; none: not locked. A passphrase would have to be kept beside the data. */
    readonly recipients: readonly string[];
    readonly retention: Retention;
  };
  /** Written by the schedules alone. */
  readonly status: {
    /** Milliseconds since the epoch. */
    readonly lastBegun?: number;
    readonly lastBackup?: string;
    /** Why the last one failed. */
    readonly lastError?: string;
  };
}

const scheduleKind = defineKind<VolumeSchedule>("volume-schedule");

/** Milliseconds. */
const LEAST = 60_000;
/** What a timer can wait (setTimeout). */
const LONGEST = 2 ** 31 - 1;

/** Runs what is due: one timer for the next, none when there is nothing. What was due while no daemon ran is done at its start. */
export class VolumeSchedules {
  readonly #store: Store;
  readonly #backups: VolumeBackups;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #running = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: {
    readonly store: Store;
    readonly backups: VolumeBackups;
    readonly clock: Clock;
    readonly log: Logger;
  }) {
    this.#store = options.store;
    this.#backups = options.backups;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  list(): readonly VolumeSchedule[] {
    return this.#store.view((tx) => tx.list(scheduleKind)).toSorted((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** Its first backup begins at once. `already-exists`. */
  async add(id: string, spec: VolumeSchedule["spec"]): Promise<VolumeSchedule> {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(id))
      throw new HavreError("invalid-argument", `${JSON.stringify(id)} is no name of a schedule`);
    if (!(spec.every >= LEAST)) throw new HavreError("invalid-argument", "A schedule runs at most once a minute");
    await this.#backups.requireFolder(spec.target);
    const schedule: VolumeSchedule = { id, created: this.#clock.now(), spec, status: {} };
    await this.#store.update((tx) => {
      if (tx.get(scheduleKind, id)) throw new HavreError("already-exists", `Schedule ${id} exists already`);
      tx.put(scheduleKind, schedule);
    });
    this.start();
    return schedule;
  }

  /** Its backups stay. `not-found`. */
  async remove(id: string): Promise<void> {
    await this.#store.update((tx) => {
      if (!tx.get(scheduleKind, id)) throw new HavreError("not-found", `No such schedule: ${id}`);
      tx.delete(scheduleKind, id);
    });
    this.start();
  }

  /** Begins what is due and waits for what is next. To be called once after a start. */
  start(): void {
    clearTimeout(this.#timer);
    if (this.#stop.signal.aborted) return;
    let next = Number.POSITIVE_INFINITY;
    for (const schedule of this.list()) {
      if (this.#running.has(schedule.id)) continue;
      const due = dueAt(schedule);
      if (due <= this.#clock.now()) this.#begin(schedule);
      else next = Math.min(next, due);
    }
    if (next === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.start(), Math.min(next - this.#clock.now(), LONGEST));
    this.#timer.unref();
  }

  /** Gives up what is under way; it is due again at the next start. */
  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await Promise.allSettled(this.#running.values());
  }

  #begin({ id, spec }: VolumeSchedule): void {
    const work = this.#run(id, spec)
      .catch((error) =>
        this.#log.error("a schedule's end was not recorded", { schedule: id, error: toHavreError(error) }),
      )
      .finally(() => {
        this.#running.delete(id);
        this.start();
      });
    this.#running.set(id, work);
  }

  async #run(id: string, { volume, target, pause, recipients, retention }: VolumeSchedule["spec"]): Promise<void> {
    const lastBegun = this.#clock.now();
    const lock = recipients.length > 0 ? { lock: { recipients } } : {};
    let outcome: VolumeSchedule["status"];
    try {
      const report = await this.#backups.backup({ volume, target, pause, ...lock }, this.#stop.signal);
      await this.#backups.expire(target, volume, retention);
      outcome = { lastBegun, lastBackup: report.id };
    } catch (error) {
      // Not begun, as far as the next daemon is concerned.
      if (this.#stop.signal.aborted) return;
      const { message } = toHavreError(error);
      this.#log.warn("a scheduled backup failed", { schedule: id, volume, error: message });
      outcome = { lastBegun, lastError: message };
    }
    await this.#store.update((tx) => {
      const now = tx.get(scheduleKind, id);
      if (now) tx.put(scheduleKind, { ...now, status: { ...keep(now.status), ...outcome } });
    });
  }
}

function keep({ lastBackup }: VolumeSchedule["status"]): Partial<VolumeSchedule["status"]> {
  return lastBackup === undefined ? {} : { lastBackup };
}

/** Milliseconds since the epoch. */
export function dueAt({ created, spec, status }: VolumeSchedule): number {
  return status.lastBegun === undefined ? created : status.lastBegun + spec.every;
}
