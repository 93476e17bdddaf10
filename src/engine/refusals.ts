import { explainOutbound, findRefusals, type Profile, type Refusal, type RefusedOutbound } from "../policy/mod.ts";
import { readLog } from "../runtime/mod.ts";
import type { Container, ContainerState } from "./container.ts";
import { type EngineContext, logPath } from "./context.ts";
import { landlockOf } from "./landlock.ts";
import { getContainer } from "./lookup.ts";
import { egressOfContainer } from "./networking/mod.ts";

/** What a container's last run was denied. */
export interface RefusalReport {
  readonly name: string;
  readonly profile: Profile;
  readonly state: ContainerState;
  readonly exitCode: number;
  /** Why it did not start, if it did not. */
  readonly error: string;
  readonly refusals: readonly Refusal[];
}

/** Lines of the log that are looked through. */
const LINES = 500;
const SECOND_MS = 1000;

/** Tells what was denied to containers, from what they said and how they ended. */
export class Refusals {
  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** Of the last run; `not-found`. */
  async why(ref: string): Promise<RefusalReport> {
    const container = getContainer(this.#context.store, ref);
    const { name, spec, status } = container;
    const { hostConfig, mounts, policy } = spec;
    const profile = policy?.profile ?? "docker";
    const { state, exitCode, oomKilled, error } = status;
    const ended = state === "exited" || state === "dead" || state === "restarting";
    const { rules: landlock } = landlockOf(this.#context, container);
    const ground = {
      profile,
      hostConfig,
      mounts,
      ownUsers: this.#context.identities.of(container.id) !== undefined,
      exitCode: ended ? exitCode : 0,
      oomKilled,
      ...(landlock === undefined ? {} : { landlock }),
    };
    const lines = hostConfig.LogConfig.Type === "none" ? [] : await this.#lines(container.id, status.startedAt);
    const outbound = explainOutbound(await this.#refusedOutbound(container));
    return { name, profile, state, exitCode, error, refusals: [...findRefusals(ground, lines), ...outbound] };
  }

  /** The kernel counts times in seconds. */
  #refusedOutbound({ id, spec, status }: Container): Promise<RefusedOutbound> | RefusedOutbound {
    if (status.startedAt === undefined || !egressOfContainer({ spec })) return { connections: [], names: [] };
    const now = this.#context.clock.now();
    const until = status.state === "running" || status.state === "paused" ? now : (status.finishedAt ?? now);
    return this.#context.networks.outbound.refusalsOf(id, status.startedAt - SECOND_MS, until + SECOND_MS);
  }

  async #lines(id: string, since: number | undefined): Promise<readonly string[]> {
    const parts: Uint8Array[] = [];
    const query = {
      stdout: true,
      stderr: true,
      timestamps: false,
      tail: LINES,
      ...(since === undefined ? {} : { since }),
    };
    for await (const { data } of readLog(logPath(this.#context, id), query)) parts.push(Buffer.from(data));
    return Buffer.concat(parts)
      .toString()
      .split(/\r?\n/)
      .filter((line) => line !== "");
  }
}
