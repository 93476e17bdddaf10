import { closeSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HavreError, type Logger, runAll } from "../base/mod.ts";
import {
  type CgroupHost,
  cgroupFolders,
  cgroupProcesses,
  detectCgroups,
  isProcessAlive,
  openPidfd,
  pidfdEnded,
  processStat,
  signalPidfd,
} from "../kernel/mod.ts";
import type { RuntimeResources } from "../spec/mod.ts";
import { containerArguments } from "./conmon-arguments.ts";
import { AttachConnection } from "./connection.ts";
import { writeTerminalSize } from "./control.ts";
import { execDirect } from "./exec-direct.ts";
import { execSupervised } from "./exec-supervised.ts";
import { ExitRecords } from "./exits.ts";
import { hasHybridControllers, withoutUnifiedTree } from "./hybrid-cgroups.ts";
import { beginGenerations } from "./log-files.ts";
import { LogRotation } from "./log-rotation.ts";
import { type ContainerRecord, ContainerRecords } from "./records.ts";
import type {
  CgroupStats,
  Created,
  CreateRequest,
  ExecRequest,
  Exit,
  InterfaceCounters,
  IoConnection,
  Observed,
  ProcessIdentity,
  RunningExec,
  Runtime,
  RuntimeStatus,
  StdioSpec,
} from "./runtime.ts";
import { type CommandResult, type RuntimeBinary, runRuntime } from "./runtime-command.ts";
import { runtimeError } from "./runtime-errors.ts";
import { SeccompFilters } from "./seccomp-filters.ts";
import { RuntimeRefusal, startSupervisor } from "./supervisor.ts";

export interface ConmonOptions {
  /** Volatile folder of this daemon: exits, records and the runtimes' state live below it. */
  readonly run: string;
  readonly logger: Logger;
  /** Runtimes beyond crun and runc, or in their place, by name. */
  readonly runtimes?: ReadonlyMap<string, RuntimeBinary>;
  /** Milliseconds until a runtime that does not answer is given up; 60 s unless told. */
  readonly timeout?: number;
}

const SIGKILL = 9;

/** The runtime on conmon and crun or runc. `open` before use. */
export class ConmonRuntime implements Runtime, Disposable {
  readonly #run: string;
  readonly #logger: Logger;
  readonly #timeout: number;
  readonly #exits: ExitRecords;
  readonly #records: ContainerRecords;
  readonly #cgroups: CgroupHost;
  readonly #runtimes: ReadonlyMap<string, RuntimeBinary>;
  readonly #logs: LogRotation;
  readonly #oomListeners = new Set<(id: string) => void>();
  readonly #filters = new SeccompFilters();
  readonly #watched = new Map<string, { cancel(): void }>();

  constructor(options: ConmonOptions) {
    this.#run = options.run;
    this.#logger = options.logger;
    this.#timeout = options.timeout ?? 60_000;
    this.#exits = new ExitRecords(join(options.run, "exits"));
    this.#records = new ContainerRecords(join(options.run, "containers"));
    this.#logs = new LogRotation(options.logger);
    this.#cgroups = detectCgroups();
    this.#runtimes = new Map([
      ["crun", { path: Bun.which("crun") ?? "/usr/bin/crun", args: [] }],
      ["runc", { path: Bun.which("runc") ?? "/usr/sbin/runc", args: [] }],
      ...(options.runtimes ?? []),
    ]);
    mkdirSync(join(this.#run, "runtime"), { recursive: true, mode: 0o700 });
    this.#records.open();
    this.#exits.open();
    this.#exits.onExit(({ id }) => {
      const record = this.#records.get(id);
      if (record) this.#logs.end(id, record.log);
    });
  }

  [Symbol.dispose](): void {
    this.#exits[Symbol.dispose]();
    this.#logs[Symbol.dispose]();
    for (const watch of this.#watched.values()) watch.cancel();
    this.#watched.clear();
  }

  runtimes(): ReadonlyMap<string, RuntimeBinary> {
    return this.#runtimes;
  }

  async create(request: CreateRequest): Promise<Created> {
    const plain = this.#binary(request.runtime);
    const conmon = supervisorBinary();
    const binary = request.runtime === "crun" && hasHybridControllers() ? withoutUnifiedTree(plain) : plain;
    this.#exits.forget(request.id);
    rmSync(join(request.bundle, "oom"), { force: true });
    const spec = request.runtime === "crun" ? this.#filters.prepare(request.spec) : request.spec;
    writeFileSync(join(request.bundle, "config.json"), JSON.stringify(spec), { mode: 0o600 });
    if (request.log.path !== undefined) {
      beginGenerations(request.log.path, request.log.maxSize, request.log.maxFiles ?? 1);
    }
    try {
      const supervisor = await startSupervisor({
        conmon,
        args: containerArguments(request, binary, this.#exits.path()),
        folder: request.bundle,
        timeout: this.#timeout,
      });
      if (request.runtime === "crun") this.#filters.learn(request.spec, join(this.#run, "runtime", "crun", request.id));
      const created = { init: identify(supervisor.containerPid), supervisor: identify(supervisor.pid) };
      this.#records.put({
        id: request.id,
        runtime: request.runtime,
        bundle: request.bundle,
        cgroupsPath: request.spec.linux.cgroupsPath,
        log: request.log,
        ...created,
      });
      this.#logs.begin(request.id, request.log);
      void supervisor.ended.then(() => this.#supervisorEnded(request.id, created.supervisor));
      return created;
    } catch (error) {
      await this.#undoCreate(request, error);
      if (error instanceof RuntimeRefusal) {
        const command = request.spec.process.args[0] ?? "";
        throw runtimeError({ operation: "create", output: error.message, command, cause: error });
      }
      throw error;
    }
  }

  async start(id: string, runtime: string): Promise<void> {
    await this.#command(runtime, "start", ["start", id]);
  }

  async kill(id: string, runtime: string, signal: number, all = false): Promise<void> {
    if (all) {
      await this.#command(runtime, "kill", ["kill", "--all", id, String(signal)]);
      return;
    }
    const init = this.#records.get(id)?.init;
    if (init === undefined || !isProcessAlive(init) || !signalIdentity(init, signal)) {
      throw new HavreError("not-found", `Container ${id} has no process`);
    }
  }

  async pause(id: string, runtime: string): Promise<void> {
    await this.#command(runtime, "pause", ["pause", id]);
  }

  async resume(id: string, runtime: string): Promise<void> {
    await this.#command(runtime, "resume", ["resume", id]);
  }

  async update(id: string, runtime: string, resources: RuntimeResources): Promise<void> {
    await this.#command(runtime, "update", ["update", "-r", "-", id], JSON.stringify(resources));
  }

  async delete(id: string, runtime: string, bundle: string, force = false): Promise<void> {
    const record = this.#records.get(id);
    this.#watched.get(id)?.cancel();
    this.#watched.delete(id);
    await runAll([
      () => {
        if (record) this.#logs.end(id, record.log);
      },
      async () => {
        const args = force ? ["delete", "--force", id] : ["delete", id];
        const result = await this.#run1(runtime, args);
        if (result.code !== 0 && !/does not exist|not exist|No such file/i.test(result.stderr)) {
          throw runtimeError({ operation: "delete", output: result.stderr });
        }
      },
      () => {
        if (force && record && isProcessAlive(record.supervisor)) signalIdentity(record.supervisor, SIGKILL);
      },
      () => {
        for (const name of ["attach", "ctl", "winsz", "pidfile", "config.json", "oom"]) {
          rmSync(join(bundle, name), { force: true });
        }
      },
      () => this.#records.delete(id),
    ]);
  }

  async status(id: string, runtime: string): Promise<RuntimeStatus> {
    const result = await this.#run1(runtime, ["state", id]);
    if (result.code !== 0) {
      if (/does not exist|No such file/i.test(result.stderr)) return "absent";
      throw runtimeError({ operation: "state", output: result.stderr });
    }
    const { status } = JSON.parse(result.stdout) as { status: string };
    return status as RuntimeStatus;
  }

  async observe(id: string, runtime: string, _bundle: string): Promise<Observed> {
    const record = this.#records.get(id);
    const status = await this.status(id, runtime);
    if (record?.init === undefined || !isProcessAlive(record.init)) {
      return { status: status === "absent" ? "absent" : "stopped" };
    }
    return { status, processes: { init: record.init, supervisor: record.supervisor } };
  }

  async attach(_id: string, bundle: string, _stdio: StdioSpec): Promise<IoConnection> {
    return await AttachConnection.open(join(bundle, "attach"));
  }

  resize(id: string, bundle: string, height: number, width: number): void {
    writeTerminalSize(bundle, height, width, `Container ${id}`);
  }

  async exec(request: ExecRequest): Promise<RunningExec> {
    const binary = this.#binary(request.runtime);
    if (request.runtime === "crun" && !request.stdio.terminal) return await execDirect(request, binary, this.#timeout);
    return await execSupervised(request, binary, supervisorBinary(), this.#timeout);
  }

  onExit(listener: (exit: Exit) => void): Disposable {
    return this.#exits.onExit(listener);
  }

  onOom(listener: (id: string) => void): Disposable {
    this.#oomListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#oomListeners.delete(listener) };
  }

  recordedExit(id: string): Exit | undefined {
    return this.#exits.read(id);
  }

  forgetExit(id: string): void {
    this.#exits.forget(id);
  }

  stats(_id: string): CgroupStats | undefined {
    throw new HavreError("not-implemented", "Container statistics are not there yet");
  }

  processes(id: string): readonly number[] {
    const path = this.#records.get(id)?.cgroupsPath;
    if (path === undefined) return [];
    const pids = cgroupFolders(this.#cgroups, path).flatMap((folder) => cgroupProcesses(folder));
    return [...new Set(pids)].sort((a, b) => a - b);
  }

  interfaceCounters(_pid: number): Readonly<Record<string, InterfaceCounters>> {
    throw new HavreError("not-implemented", "Network statistics are not there yet");
  }

  async recover(): Promise<void> {
    this.#exits.rescan();
    for (const record of this.#records.all()) {
      if (this.#exits.read(record.id) !== undefined) continue;
      this.#logs.begin(record.id, record.log);
      this.#watchSupervisor(record);
    }
  }

  #watchSupervisor(record: ContainerRecord): void {
    const pidfd = openPidfd(record.supervisor.pid);
    if (pidfd === undefined || !isProcessAlive(record.supervisor)) {
      if (pidfd !== undefined) closeSync(pidfd);
      this.#supervisorEnded(record.id, record.supervisor);
      return;
    }
    const watch = pidfdEnded(pidfd);
    this.#watched.set(record.id, watch);
    void watch.ended.then(() => this.#supervisorEnded(record.id, record.supervisor));
  }

  /** A supervisor that ends without recording an exit was killed: its container has lost its streams and is ended too. */
  #supervisorEnded(id: string, supervisor: ProcessIdentity): void {
    const record = this.#records.get(id);
    // The container may have been deleted, or created anew under a later supervisor.
    if (record?.supervisor.pid !== supervisor.pid || record.supervisor.startTime !== supervisor.startTime) return;
    this.#watched.delete(id);
    this.#exits.check(id);
    if (this.#exits.read(id) !== undefined) return;
    this.#logger.warn("A container's supervisor ended without an exit code; ending the container", { id });
    if (record.init && isProcessAlive(record.init)) signalIdentity(record.init, SIGKILL);
    writeFileSync(join(this.#exits.path(), id), "137", { mode: 0o600 });
    this.#exits.check(id);
  }

  async #undoCreate(request: CreateRequest, cause: unknown): Promise<void> {
    try {
      await this.#run1(request.runtime, ["delete", "--force", request.id]);
    } catch (failure) {
      this.#logger.warn("Could not clean up after a failed create", { id: request.id, cause, failure });
    }
    this.#exits.forget(request.id);
    for (const name of ["attach", "ctl", "winsz", "pidfile"]) rmSync(join(request.bundle, name), { force: true });
  }

  #binary(name: string): RuntimeBinary {
    const binary = this.#runtimes.get(name);
    if (binary === undefined) {
      throw new HavreError("invalid-argument", `unknown or invalid runtime name: ${name}`);
    }
    if (!existsSync(binary.path)) throw missing(binary.path, name);
    return { path: binary.path, args: [...binary.args, "--root", join(this.#run, "runtime", name)] };
  }

  async #run1(runtime: string, args: readonly string[], input?: string): Promise<CommandResult> {
    return await runRuntime(this.#binary(runtime), args, this.#timeout, input);
  }

  async #command(runtime: string, operation: string, args: readonly string[], input?: string): Promise<void> {
    const result = await this.#run1(runtime, args, input);
    if (result.code !== 0) throw runtimeError({ operation, output: result.stderr });
  }
}

function supervisorBinary(): string {
  const path = Bun.which("conmon");
  if (path === null) throw missing("conmon", "conmon");
  return path;
}

function missing(binary: string, pkg: string): HavreError {
  return new HavreError("unavailable", `The program ${binary} is not installed`, {
    hint: `Install the package ${pkg} (apt-get install ${pkg})`,
  });
}

/** A process that has ended already has no start time to read: 0 never matches a living one. */
function identify(pid: number): ProcessIdentity {
  return { pid, startTime: processStat(pid)?.startTime ?? 0 };
}

function signalIdentity(identity: ProcessIdentity, signal: number): boolean {
  const pidfd = openPidfd(identity.pid);
  if (pidfd === undefined) return false;
  try {
    // The descriptor is held: a check now cannot be overtaken by another process with the same id.
    return isProcessAlive(identity) && signalPidfd(pidfd, signal);
  } finally {
    closeSync(pidfd);
  }
}
