import type { OnProgress } from "./images.ts";

/** What of the layers of a pull or a push did not have to be moved, as parts of them were there. */
export class Savings {
  #reused = 0;
  #moved = 0;

  /** Of one layer, in bytes. */
  add(reused: number, moved: number): void {
    this.#reused += reused;
    this.#moved += moved;
  }

  /** Says it, if there is something to say. `verb`: what was done with the rest. */
  tell(onProgress: OnProgress, verb: "sent" | "received"): void {
    if (this.#reused === 0) return;
    onProgress({
      status: `Reused ${shown(this.#reused)} of layers that were there in parts, ${verb} ${shown(this.#moved)}`,
    });
  }
}

/** As Docker shows sizes: four digits, powers of 1000. */
function shown(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(4))}${units[power]}`;
}
