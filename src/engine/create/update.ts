import type { HostConfig } from "../../spec/mod.ts";
import type { Container } from "../container.ts";
import type { UpdateRequest } from "../engine.ts";

/** The host configuration after an update, and what the user should know. Absent fields keep their value. */
export function validateUpdate(
  container: Container,
  change: Omit<UpdateRequest, "Labels">,
): { readonly hostConfig: HostConfig; readonly warnings: readonly string[] } {
  return { hostConfig: { ...container.spec.hostConfig, ...change }, warnings: [] };
}
