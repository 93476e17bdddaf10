import { displayWidth, ellipsis } from "../output/width.ts";

/** Styles as the numbers of SGR (ECMA-48 8.3.117); the sixteen colours follow the terminal's own scheme, light or dark. */
export const STYLE = {
  plain: "",
  bold: "1",
  dim: "2",
  underline: "4",
  reverse: "7",
  red: "31",
  green: "32",
  yellow: "33",
  cyan: "36",
};

/** One line of the screen, never wider than it. */
export class Line {
  #text = "";
  #used = 0;

  /** `base`: a style below all others, to the line's end. */
  constructor(
    readonly width: number,
    readonly base = "",
    readonly coloured = true,
  ) {}

  get room(): number {
    return this.width - this.#used;
  }

  add(text: string, style = ""): this {
    const cut = ellipsis(text, this.room);
    if (cut === "") return this;
    this.#used += displayWidth(cut);
    this.#text += this.#styled(cut, style);
    return this;
  }

  /** Spaces up to a column. */
  to(column: number): this {
    return this.add(" ".repeat(Math.max(0, Math.min(column, this.width) - this.#used)));
  }

  /** A text that ends at a column. */
  right(text: string, column: number, style = ""): this {
    return this.to(column - displayWidth(text)).add(text, style);
  }

  /** Filled to the end: what stood on the screen before is overwritten, whatever it was. */
  toString(): string {
    return this.#text + this.#styled(" ".repeat(this.room), "");
  }

  #styled(text: string, style: string): string {
    if (text === "") return "";
    const codes = [this.base, style].filter((code) => code !== "" && (this.coloured || !/^3\d$/.test(code)));
    return codes.length === 0 ? text : `\x1b[${codes.join(";")}m${text}\x1b[0m`;
  }
}
