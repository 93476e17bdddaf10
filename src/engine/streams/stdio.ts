import type { StdioSpec } from "../../runtime/mod.ts";
import type { ContainerConfig } from "../../spec/mod.ts";

/** How a container's standard streams are wired. */
export function stdioOf(config: ContainerConfig): StdioSpec {
  // A terminal outlives its clients: one that detaches can come back and type on.
  return { terminal: config.Tty, stdin: config.OpenStdin, stdinOnce: config.StdinOnce && !config.Tty };
}
