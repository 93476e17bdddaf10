import { HavreError } from "../../base/mod.ts";

export const DEFAULT_DETACH_KEYS = "ctrl-p,ctrl-q";

/** The bytes that `ctrl-p,ctrl-q`-like text stands for (docker attach --detach-keys). `invalid-argument` for unknown words. */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from(
    text.split(",").map((key) => {
      const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
      if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
      if (key.length === 1) return key.charCodeAt(0);
      throw new HavreError("invalid-argument", `Invalid detach keys (${text}) provided`, {
        hint: "Write single keys, or ctrl- and a small letter or one of @ [ \\ ] ^ _, with commas between",
      });
    }),
  );
}

/**
 * Finds the detach keys in typed input. What could be their beginning is held back until it is clear that it is not,
 * so that the container sees every other key.
 */
export class DetachScanner {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** The bytes to pass on; `detached` once the keys are complete (the rest of `input` is dropped). */
  scan(input: Uint8Array): { readonly pass: Uint8Array; readonly detached: boolean } {
    if (this.#keys.byteLength === 0) return { pass: input, detached: false };
    const pass: number[] = [];
    for (const byte of input) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched++;
        if (this.#matched === this.#keys.byteLength) return { pass: Uint8Array.from(pass), detached: true };
        continue;
      }
      pass.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = byte === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) pass.push(byte);
    }
    return { pass: Uint8Array.from(pass), detached: false };
  }
}
