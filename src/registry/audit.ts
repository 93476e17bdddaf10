import { closeSync, fstatSync, openSync, statSync, writeSync } from "node:fs";
import type { Clock, Logger } from "../base/mod.ts";

/** One line of the audit log: who did what, from where, with which result. */
export interface AuditEntry {
  readonly action: string;
  /** undefined: somebody who did not sign in. */
  readonly user?: string;
  readonly remote?: string;
  readonly agent?: string;
  readonly repository?: string;
  /** Tag or digest, as it was asked for. */
  readonly reference?: string;
  readonly digest?: string;
  /** Of HTTP. */
  readonly status?: number;
  readonly detail?: unknown;
}

export interface Audit {
  note(entry: AuditEntry): void;
}

export const noAudit: Audit = { note: () => {} };

/**
 * The audit log as a file of JSON lines, each with the kernel before the request is answered. It may be moved away: the
 * next line opens it anew. A line that cannot be written is told in the registry's own log instead.
 */
export class AuditFile implements Audit, Disposable {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  #fd: number;
  #inode: number;

  constructor(path: string, clock: Clock, log: Logger) {
    this.#path = path;
    this.#clock = clock;
    this.#log = log;
    this.#fd = openSync(path, "a", 0o600);
    this.#inode = fstatSync(this.#fd).ino;
  }

  note(entry: AuditEntry): void {
    try {
      if (statSync(this.#path, { throwIfNoEntry: false })?.ino !== this.#inode) this.#reopen();
      writeSync(this.#fd, `${JSON.stringify({ time: new Date(this.#clock.now()).toISOString(), ...entry })}\n`);
    } catch (error) {
      this.#log.error("audit line not written", { error, entry });
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #reopen(): void {
    const fd = openSync(this.#path, "a", 0o600);
    closeSync(this.#fd);
    this.#fd = fd;
    this.#inode = fstatSync(fd).ino;
  }
}
