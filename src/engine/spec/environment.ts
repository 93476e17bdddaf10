export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface EnvironmentInput {
  readonly hostname: string;
  readonly terminal: boolean;
  readonly home: string;
  /** `KEY=value`; a bare `KEY` takes a default away. Later wins. */
  readonly given: readonly string[];
}

/** The environment of a container's process: defaults first, then what was given in its order, HOME last unless given. */
export function buildEnvironment({ hostname, terminal, home, given }: EnvironmentInput): string[] {
  const values = new Map<string, string>([["PATH", DEFAULT_PATH]]);
  values.set("HOSTNAME", hostname);
  if (terminal) values.set("TERM", "xterm");
  for (const entry of given) {
    const at = entry.indexOf("=");
    if (at < 0) values.delete(entry);
    else values.set(entry.slice(0, at), entry.slice(at + 1));
  }
  if (!values.has("HOME")) values.set("HOME", home);
  return [...values].map(([key, value]) => `${key}=${value}`);
}
