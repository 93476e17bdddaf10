const FINAL: Readonly<Record<string, string>> = { A: "up", B: "down", C: "right", D: "left", H: "home", F: "end" };
const TILDE: Readonly<Record<string, string>> = {
  1: "home",
  3: "delete",
  4: "end",
  5: "pageup",
  6: "pagedown",
  7: "home",
  8: "end",
};
const CONTROL: Readonly<Record<string, string>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\x7f": "backspace",
  "\b": "backspace",
  "\x1b": "escape",
};

/** A whole escape sequence (ECMA-48), or one character; what follows an escape that begins neither is its own key. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: keys are control characters
const ONE_KEY = /\x1b\[([0-9;?]*)([@-~])|\x1bO([@-~])|./gsu;

/** Turns what a terminal sends into names of keys: `up`, `enter`, `ctrl-c`, or the character itself. */
export class KeyReader {
  readonly #decoder = new TextDecoder();

  read(bytes: Uint8Array): string[] {
    const text = this.#decoder.decode(bytes, { stream: true });
    return [...text.matchAll(ONE_KEY)].flatMap(([whole, parameters = "", final = "", single = ""]) => {
      if (final === "~") return TILDE[parameters.split(";")[0] ?? ""] ?? [];
      if (final !== "" || single !== "") return FINAL[final + single] ?? [];
      const named = CONTROL[whole];
      if (named !== undefined) return named;
      const code = whole.codePointAt(0) ?? 0;
      return code < 0x20 ? `ctrl-${String.fromCharCode(code + 96)}` : whole;
    });
  }
}
