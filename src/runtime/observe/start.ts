import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HavreError, systemClock } from "../../base/mod.ts";
import {
  identifyProcess,
  isProcessAlive,
  nativeArchitecture,
  type ProcessIdentity,
  SystemCallNames,
  signalProcess,
} from "../../kernel/mod.ts";
import { askingFilter } from "../../policy/mod.ts";
import type { RuntimeSpec } from "../../spec/mod.ts";
import { until } from "../waiting.ts";
import type { ObserverOrder } from "./observer.ts";

const SIGKILL = 9;
/** Milliseconds that an observer takes at most to be there, or to be gone after its container. */
const PATIENCE = 10_000;

export interface ObserverRequest {
  /** The program that calls `observe`, to which its folder is added. */
  readonly program: readonly string[];
  /** For its files; made anew. */
  readonly folder: string;
  /** A path short enough for a unix socket. */
  readonly socket: string;
  /** Where what is seen is written. */
  readonly record: string;
  readonly spec: RuntimeSpec;
}

/**
 * Starts the observer of a container that is about to be created; the specification with the filter that asks it.
 * `unavailable` when it does not start.
 */
export async function startObserver({ program, folder, socket, record, spec }: ObserverRequest): Promise<RuntimeSpec> {
  const { seccomp } = spec.linux;
  const native = nativeArchitecture();
  const known = native === undefined ? [] : new SystemCallNames().all(native);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  rmSync(socket, { force: true });
  rmSync(record, { force: true });
  const ownUsers = spec.linux.uidMappings !== undefined;
  const order: ObserverOrder = { socket, record, ownUsers, ...(seccomp ? { profile: seccomp } : {}) };
  writeFileSync(join(folder, "order.json"), JSON.stringify(order), { mode: 0o600 });
  const child = Bun.spawn([...program, folder], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { PATH: process.env.PATH ?? "" },
    detached: true,
  });
  child.unref();
  writeFileSync(join(folder, "process.json"), JSON.stringify(identifyProcess(child.pid)), { mode: 0o600 });
  const timer = setTimeout(() => child.kill(SIGKILL), PATIENCE);
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  clearTimeout(timer);
  void reader.cancel();
  if (done)
    throw new HavreError("unavailable", "The observer of the container did not start", {
      hint: "It needs libseccomp.so.2, and a kernel with seccomp notifications (5.5 and later)",
    });
  return { ...spec, linux: { ...spec.linux, seccomp: askingFilter(seccomp, known, socket) } };
}

/** Settles when the observer that has this folder, if any does, is gone: it ends with its container, or is ended. */
export async function observerEnded(folder: string): Promise<void> {
  const file = join(folder, "process.json");
  if (!existsSync(file)) return;
  const identity = JSON.parse(readFileSync(file, "utf8")) as ProcessIdentity;
  const late = Date.now() + PATIENCE;
  await until(systemClock, () => !isProcessAlive(identity) || Date.now() > late);
  if (isProcessAlive(identity)) signalProcess(identity, SIGKILL);
  await until(systemClock, () => !isProcessAlive(identity));
}

/** Ends it at once: its container was not created after all. */
export async function endObserver(folder: string): Promise<void> {
  const file = join(folder, "process.json");
  if (existsSync(file)) signalProcess(JSON.parse(readFileSync(file, "utf8")) as ProcessIdentity, SIGKILL);
  await observerEnded(folder);
}
