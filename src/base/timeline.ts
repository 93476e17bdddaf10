/** Where the time of one operation went: named steps, each from the end of the one before. */
export class Timeline {
  readonly steps: { readonly name: string; readonly milliseconds: number }[] = [];
  #last = performance.now();

  /** The step that just ended. */
  mark(name: string): void {
    const now = performance.now();
    this.steps.push({ name, milliseconds: now - this.#last });
    this.#last = now;
  }

  /** As the value of a Server-Timing header (W3C Server Timing, § 2). */
  serverTiming(): string {
    return this.steps.map(({ name, milliseconds }) => `${name};dur=${milliseconds.toFixed(2)}`).join(", ");
  }
}
