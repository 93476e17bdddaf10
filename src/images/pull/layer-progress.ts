import type { Digest } from "../../base/mod.ts";
import type { OnProgress } from "../images.ts";
import type { Savings } from "../savings.ts";
import type { DownloadListener } from "./downloads.ts";

const SHORT = 12;
/** Least time between two counts of one layer: more cannot be read, and costs the client. */
const INTERVAL_MS = 100;

/** What `docker pull` shows of one layer. */
export class LayerProgress implements DownloadListener {
  readonly #id: string;
  readonly #total: number;
  readonly #send: OnProgress;
  readonly #now: () => number;
  readonly #savings: Savings | undefined;
  #lastAt = 0;

  constructor(digest: Digest, total: number, send: OnProgress, now: () => number, savings?: Savings) {
    this.#id = digest.slice(digest.indexOf(":") + 1).slice(0, SHORT);
    this.#total = total;
    this.#send = send;
    this.#now = now;
    this.#savings = savings;
  }

  status(status: string): void {
    this.#send({ status, progressDetail: {}, id: this.#id });
  }

  waiting(): void {
    this.status("Waiting");
  }

  progress(current: number): void {
    this.#count("Downloading", current);
  }

  extracting(current: number): void {
    this.#count("Extracting", current);
  }

  compressing(current: number): void {
    this.#count("Compressing", current);
  }

  pushing(current: number): void {
    this.#count("Pushing", current);
  }

  reused(bytes: number, moved: number): void {
    this.#savings?.add(bytes, moved);
  }

  verifying(): void {
    this.status("Verifying Checksum");
  }

  #count(status: string, current: number): void {
    const now = this.#now();
    if (now - this.#lastAt < INTERVAL_MS && current < this.#total) return;
    this.#lastAt = now;
    this.#send({ status, progressDetail: { current, total: this.#total }, id: this.#id });
  }
}
