import { HavreError, newId } from "../base/mod.ts";
import type { ExecRequest, RunningExec } from "../runtime/mod.ts";
import type { Container } from "./container.ts";
import { bundleFolder, type EngineContext, runtimeName } from "./context.ts";
import { refusePrivilegedExec } from "./create/mod.ts";
import type { ExecConfig, ExecState, Execs, StreamSession } from "./engine.ts";
import { execAction } from "./events.ts";
import { findContainer, getContainer, hasProcess, requireRunning } from "./lookup.ts";
import { prepareExecProcess } from "./spec/prepare.ts";
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from "./streams/detach-keys.ts";
import { ConnectionSession } from "./streams/session.ts";

/** Ended execs stay inspectable this long, in milliseconds (dockerd forgets them after five minutes). */
const REMEMBER_ENDED = 5 * 60_000;
/** Docker's exit code of an exec that could not be started, whatever kept it. */
const CANNOT_START = 126;

interface Exec extends ExecState {
  readonly resize?: (height: number, width: number) => void;
  readonly started: boolean;
  readonly endedAt?: number;
}

/** Further processes in running containers. They are the daemon's memory only: gone with their container or the daemon. */
export class ContainerExecs implements Execs {
  readonly #context: EngineContext;
  readonly #execs = new Map<string, Exec>();

  constructor(context: EngineContext) {
    this.#context = context;
  }

  async create(ref: string, config: ExecConfig): Promise<string> {
    const container = getContainer(this.#context.store, ref);
    requireUsable(container, ref);
    if (config.Cmd.length === 0) throw new HavreError("invalid-argument", "No exec command specified");
    if (config.Privileged) refusePrivilegedExec(container);
    parseDetachKeys(config.DetachKeys || DEFAULT_DETACH_KEYS);
    this.#forgetOld();
    const id = newId();
    this.#execs.set(id, {
      id,
      containerId: container.id,
      config,
      running: false,
      exitCode: undefined,
      pid: 0,
      started: false,
    });
    this.#context.events.emitContainer(container, execAction("exec_create", config.Cmd), { execID: id });
    return id;
  }

  async start(
    execId: string,
    {
      detach,
      consoleSize,
    }: { readonly detach: boolean; readonly terminal: boolean; readonly consoleSize?: readonly [number, number] },
  ): Promise<StreamSession | undefined> {
    const exec = this.#get(execId);
    if (exec.started) throw new HavreError("conflict", `exec ${execId} has already run`);
    const container = getContainer(this.#context.store, exec.containerId);
    requireUsable(container);
    const { config } = exec;
    this.#change(execId, { started: true });
    const attach = !detach && (config.AttachStdin || config.AttachStdout || config.AttachStderr);
    this.#context.events.emitContainer(container, execAction("exec_start", config.Cmd), { execID: execId });
    const size = consoleSize ?? config.ConsoleSize;
    const running = await this.#run(exec, container, {
      config: size === undefined ? config : { ...config, ConsoleSize: size },
      stdio: { terminal: config.Tty, stdin: config.AttachStdin && !detach, attach },
    });
    this.#change(execId, { running: true, pid: running.pid, resize: running.resize.bind(running) });
    const recorded = running.exited.then((exitCode) => this.#ended(execId, container, exitCode));
    if (!attach) return undefined;
    const session = new ConnectionSession({
      terminal: config.Tty,
      stdin: config.AttachStdin,
      stdout: config.AttachStdout,
      stderr: config.AttachStderr,
      recorded,
      detachKeys: parseDetachKeys(config.DetachKeys || DEFAULT_DETACH_KEYS),
      onDetach: () => this.#context.events.emitContainer(container, "exec_detach", { execID: execId }),
    });
    if (running.io) session.connect(running.io);
    else session.end();
    return session;
  }

  /** Starts the process; an exec that could not be started has Docker's exit code for it, which its client asks for. */
  async #run(
    { id, containerId }: { readonly id: string; readonly containerId: string },
    container: Container,
    { config, stdio }: { readonly config: ExecConfig; readonly stdio: ExecRequest["stdio"] },
  ): Promise<RunningExec> {
    try {
      return await this.#context.runtime.exec({
        containerId,
        runtime: runtimeName(this.#context, container),
        execId: id,
        bundle: bundleFolder(this.#context, containerId),
        process: await prepareExecProcess(this.#context, container, config),
        stdio,
      });
    } catch (error) {
      this.#change(id, { exitCode: CANNOT_START, endedAt: this.#context.clock.now() });
      throw error;
    }
  }

  async resize(execId: string, height: number, width: number): Promise<void> {
    const exec = this.#get(execId);
    if (!exec.running) throw new HavreError("conflict", `Exec ${execId} is not running`);
    exec.resize?.(height, width);
  }

  inspect(execId: string): ExecState {
    return this.#get(execId);
  }

  /** Ids of the container's execs that run. */
  runningIdsOf(containerId: string): readonly string[] {
    return [...this.#execs.values()]
      .filter((exec) => exec.containerId === containerId && exec.running)
      .map((exec) => exec.id);
  }

  #get(execId: string): Exec {
    const exec = this.#execs.get(execId) ?? this.#byPrefix(execId);
    if (!exec) throw new HavreError("not-found", `No such exec instance: ${execId}`);
    return exec;
  }

  #byPrefix(prefix: string): Exec | undefined {
    if (prefix === "") return undefined;
    const matches = [...this.#execs.values()].filter((exec) => exec.id.startsWith(prefix));
    return matches.length === 1 ? matches[0] : undefined;
  }

  #change(execId: string, change: Partial<Exec>): void {
    const exec = this.#execs.get(execId);
    if (exec) this.#execs.set(execId, { ...exec, ...change });
  }

  #ended(execId: string, container: Container, exitCode: number): void {
    this.#change(execId, { running: false, exitCode, endedAt: this.#context.clock.now() });
    this.#context.events.emitContainer(container, "exec_die", { execID: execId, exitCode: String(exitCode) });
  }

  /** Those that ended long ago, and those that were never started and cannot be any more. */
  #forgetOld(): void {
    const limit = this.#context.clock.now() - REMEMBER_ENDED;
    for (const exec of this.#execs.values()) {
      const { endedAt } = exec;
      const old = endedAt === undefined ? !exec.started && !this.#exists(exec.containerId) : endedAt < limit;
      if (old) this.#execs.delete(exec.id);
    }
  }

  #exists(containerId: string): boolean {
    return findContainer(this.#context.store, containerId) !== undefined;
  }
}

/** `ref`: the container as the client names it (Docker's). */
function requireUsable(container: Container, ref = container.id): void {
  requireRunning(container);
  if (container.status.state === "paused" || !hasProcess(container)) {
    throw new HavreError("conflict", `Container ${ref} is paused, unpause the container before exec`);
  }
}
