/** One line of `havre doctor`. */
export interface Check {
  readonly name: string;
  /** warn: something works less well or not at all, the rest does; fail: containers cannot run. */
  readonly status: "ok" | "warn" | "fail";
  /** What is there. */
  readonly found: string;
  /** What does not work for it; absent when all is well. */
  readonly consequence?: string;
  /** What to do about it. */
  readonly remedy?: string;
}

export function ok(name: string, found: string): Check {
  return { name, status: "ok", found };
}

export function warn(name: string, found: string, consequence: string, remedy: string): Check {
  return { name, status: "warn", found, consequence, remedy };
}

export function fail(name: string, found: string, consequence: string, remedy: string): Check {
  return { name, status: "fail", found, consequence, remedy };
}
