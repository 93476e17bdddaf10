/** What a JUnit report of `bun test` says, so far as a total needs it. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Totals of a report. Each of `files` must be in it with at least one test: one whose process ended, or that could not be
 * loaded, is absent, and counts as a failure.
 */
export function readReport(xml: string, files: readonly string[]): Totals & { readonly absent: readonly string[] } {
  const root = /<testsuites\b[^>]*>/.exec(xml)?.[0] ?? "";
  const [tests, failures, skipped] = ["tests", "failures", "skipped"].map((name) => attribute(root, name));
  const reported = new Set([...xml.matchAll(/<testcase\b[^>]*\bfile="([^"]*)"/g)].map(([, file = ""]) => file));
  const absent = files.filter((file) => !reported.has(file));
  const failed = (failures ?? 0) + absent.length;
  return { passed: (tests ?? 0) - (failures ?? 0) - (skipped ?? 0), failed, skipped: skipped ?? 0, absent };
}

function attribute(tag: string, name: string): number {
  return Number(new RegExp(`\\b${name}="(\\d+)"`).exec(tag)?.[1] ?? 0);
}
