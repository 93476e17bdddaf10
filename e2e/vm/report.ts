/** What a machine's console says of its checks. */
export interface Report {
  readonly passed: number;
  readonly failed: number;
  /** Failures that no check told itself. */
  readonly problems: readonly string[];
}

/**
 * Counts lines `ok NAME` and `FAILED NAME: why`. The machine says at the end how many checks it has done
 * (`machine: N checks`): without that, or with lines lost, it fails whatever it has shown before.
 */
export function readConsole(lines: readonly string[], switchedOff: boolean): Report {
  const passed = lines.filter((line) => line.startsWith("ok ")).length;
  const told = lines.filter((line) => line.startsWith("FAILED ")).length;
  const end = lines.map((line) => /^machine: (\d+) checks/.exec(line)?.[1]).find((count) => count !== undefined);
  const problems: string[] = [];
  if (end === undefined) problems.push("the machine: its checks did not come to their end");
  else if (Number(end) !== passed + told) problems.push(`the machine: ${end} checks done, ${passed + told} seen`);
  else if (Number(end) === 0) problems.push("the machine: no check was done");
  if (!switchedOff) problems.push("the machine: it did not switch itself off in time");
  return { passed, failed: told + problems.length, problems };
}
