import { HavreError } from "../../base/mod.ts";

const DEFAULT = new Uint8Array([16, 17]);
const NAMED: Readonly<Record<string, number>> = { "@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, _: 31 };

/** `ctrl-p,ctrl-q` as the bytes a terminal sends for them; empty text: those two. */
export function parseDetachKeys(text: string): Uint8Array {
  if (text === "") return DEFAULT;
  return Uint8Array.from(
    text.split(",").map((key) => {
      const lower = key.toLowerCase();
      if (key.length === 1) return key.charCodeAt(0);
      const letter = lower.startsWith("ctrl-") ? lower.slice(5) : "";
      if (/^[a-z]$/.test(letter)) return letter.charCodeAt(0) - 96;
      const code = NAMED[letter];
      if (code === undefined)
        throw new HavreError("invalid-argument", `Unknown character: '${key}'`, {
          hint: "Detach keys are single characters or ctrl- with one of a-z @ [ ] \\ ^ _, separated by commas",
        });
      return code;
    }),
  );
}

/** Finds the detach keys in what is typed. Keys that may begin them are held back until the next one tells. */
export class DetachDetector {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  push(typed: Uint8Array): { readonly pass: Uint8Array; readonly detached: boolean } {
    const pass: number[] = [];
    for (const byte of typed) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched++;
        if (this.#matched === this.#keys.length) return { pass: Uint8Array.from(pass), detached: true };
        continue;
      }
      pass.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = byte === this.#keys[0] && this.#keys.length > 1 ? 1 : 0;
      if (this.#matched === 0) pass.push(byte);
    }
    return { pass: Uint8Array.from(pass), detached: false };
  }
}
