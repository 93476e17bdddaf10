import { afterEach } from "bun:test";
import type { Engine } from "./engine.ts";

/** Makes networks that end with the test, after its containers, and containers that wait on them. */
export function useNetworks(engine: Engine) {
  const made: string[] = [];
  afterEach(async () => {
    await engine.removeContainers();
    for (const name of made.splice(0)) await engine.docker(["network", "rm", name]);
  });
  return {
    network: async (name: string, ...options: string[]): Promise<string> => {
      made.push(name);
      return engine.ok(["network", "create", ...options, name]);
    },
    start: async (name: string, ...options: string[]): Promise<void> => {
      await engine.ok(["run", "-d", "--name", name, ...options, "bb", "sleep", "600"]);
    },
  };
}
