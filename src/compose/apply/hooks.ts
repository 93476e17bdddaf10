import { HavreError } from "../../base/mod.ts";
import type { Engine, Hook } from "./engine.ts";

/** Runs a service's hooks in a container, in order. `failed-precondition` with the output of one that fails. */
export async function runHooks(
  engine: Pick<Engine, "exec">,
  id: string,
  when: "post_start" | "pre_stop",
  hooks: readonly Hook[],
): Promise<void> {
  for (const hook of hooks) {
    const { exitCode, output } = await engine.exec(id, hook);
    if (exitCode === 0) continue;
    const said = output.trim();
    throw new HavreError(
      "failed-precondition",
      `${when} hook ${JSON.stringify((hook.command ?? []).join(" "))} exited with status ${exitCode}${said === "" ? "" : `: ${said}`}`,
    );
  }
}
