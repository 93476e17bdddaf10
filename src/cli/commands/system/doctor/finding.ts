/** One line of `doctor`. */
export interface Finding {
  readonly level: "fine" | "weak" | "broken";
  /** What was looked at. */
  readonly what: string;
  readonly found: string;
  /** What cannot be done because of it. */
  readonly consequence?: string;
  readonly remedy?: string;
}

export const fine = (what: string, found: string): Finding => ({ level: "fine", what, found });
export const weak = (what: string, found: string, consequence: string, remedy: string): Finding => ({
  level: "weak",
  what,
  found,
  consequence,
  remedy,
});
export const broken = (what: string, found: string, consequence: string, remedy: string): Finding => ({
  level: "broken",
  what,
  found,
  consequence,
  remedy,
});
