import { closeSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, HavreError, type Logger, systemClock, toHavreError } from "../base/mod.ts";
import { type CgroupHost, detectCgroups, identifyProcess, isProcessAlive, signalProcess } from "../kernel/mod.ts";
import { encodeForRuntime, type RuntimeResources, type RuntimeSpec } from "../spec/mod.ts";
import { ensureAppArmorProfile, unloadUnusedProfile } from "./apparmor.ts";
import { Binaries } from "./binaries.ts";
import {
  allowingLandlock,
  commandTrouble,
  confined,
  confinedProcess,
  isConfined,
  placeConfiner,
} from "./confine/mod.ts";
import { containerArguments } from "./conmon-arguments.ts";
import { AttachConnection } from "./connection.ts";
import { ContainerRemoval } from "./container-removal.ts";
import { writeTerminalSize } from "./control.ts";
import { crunStatus, startThroughPipe } from "./crun-state.ts";
import { execDirect } from "./exec-direct.ts";
import { ExecHelpers } from "./exec-helpers.ts";
import { execSupervised } from "./exec-supervised.ts";
import { ExitRecords } from "./exits.ts";
import { fitToHost, type HostLimits, readHostLimits } from "./host-limits.ts";
import type { Call } from "./hybrid-cgroups.ts";
import { Limits } from "./limits.ts";
import { makeLivenessPipe } from "./liveness.ts";
import { beginGenerations } from "./log-files.ts";
import { LogRotation } from "./log-rotation.ts";
import { Observation } from "./observation.ts";
import { hasMemoryLimit } from "./oom-watch.ts";
import { OwnCgroups } from "./own-cgroups.ts";
import { type ContainerRecord, ContainerRecords } from "./records.ts";
import { cleanBundle, killCgroup } from "./removal.ts";
import type {
  CgroupStats,
  Created,
  CreateRequest,
  ExecRequest,
  Exit,
  InterfaceCounters,
  IoConnection,
  Observed,
  RunningExec,
  Runtime,
  RuntimeStatus,
  SpecToCome,
  StdioSpec,
} from "./runtime.ts";
import { type CommandResult, type RuntimeBinary, runRuntime } from "./runtime-command.ts";
import { isInability, runtimeError } from "./runtime-errors.ts";
import { SeccompFilters } from "./seccomp-filters.ts";
import { openSharedMemory } from "./shared-memory.ts";
import { Supervision } from "./supervision.ts";
import { RuntimeRefusal, type Supervisor, startSupervisor } from "./supervisor.ts";

export interface ConmonOptions {
  /** Volatile folder of this daemon: exits, records and the runtimes' state live below it. */
  readonly run: string;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Runtimes beyond crun and runc, or in their place, by name. */
  readonly runtimes?: ReadonlyMap<string, RuntimeBinary>;
  /** Milliseconds until a runtime that does not answer is given up; 60 s unless told. */
  readonly timeout?: number;
}

/** The runtime on conmon and crun or runc. */
export class ConmonRuntime implements Runtime, Disposable {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #binaries: Binaries;
  readonly #exits: ExitRecords;
  readonly #records: ContainerRecords;
  readonly #cgroups: CgroupHost = detectCgroups();
  readonly #ceilings: HostLimits = readHostLimits();
  readonly #logs: LogRotation;
  readonly #filters = new SeccompFilters();
  readonly #helpers: ExecHelpers;
  readonly #observation: Observation;
  readonly #own: OwnCgroups;
  readonly #limits: Limits;
  readonly #supervision: Supervision;
  readonly #removal: ContainerRemoval;

  constructor(options: ConmonOptions) {
    this.#logger = options.logger;
    this.#clock = options.clock ?? systemClock;
    this.#own = new OwnCgroups(this.#cgroups, this.#clock);
    this.#helpers = new ExecHelpers(this.#cgroups, this.#clock, options.logger);
    this.#timeout = options.timeout ?? 60_000;
    this.#binaries = new Binaries(options.run, options.runtimes);
    this.#records = new ContainerRecords(join(options.run, "containers"));
    this.#limits = new Limits(this.#own, this.#records, (...command) => this.#command(...command));
    this.#observation = new Observation(this.#cgroups, this.#records, this.#helpers);
    this.#exits = new ExitRecords(join(options.run, "exits"), (id) => this.#records.initOf(id));
    this.#logs = new LogRotation(options.logger);
    this.#supervision = new Supervision(this.#records, this.#exits, this.#cgroups, this.#clock, options.logger);
    this.#removal = new ContainerRemoval({
      binaries: this.#binaries,
      records: this.#records,
      exits: this.#exits,
      supervision: this.#supervision,
      cgroups: this.#cgroups,
      clock: this.#clock,
      logger: this.#logger,
      timeout: this.#timeout,
    });
    mkdirSync(join(options.run, "runtime"), { recursive: true, mode: 0o700 });
    this.#records.open();
    // Before anybody else hears of an exit, its log and its memory kills are settled.
    this.#exits.onExit(({ id }) => this.#settle(id));
    this.#exits.open();
  }

  [Symbol.dispose](): void {
    this.#binaries[Symbol.dispose]();
    this.#exits[Symbol.dispose]();
    this.#logs[Symbol.dispose]();
    this.#observation[Symbol.dispose]();
    this.#supervision[Symbol.dispose]();
  }

  runtimes(): ReadonlyMap<string, RuntimeBinary> {
    return this.#binaries.all;
  }

  async create(request: CreateRequest): Promise<Created> {
    const { id, runtime, fallback } = request;
    if (fallback === undefined) return await this.#create(request);
    if (!this.#binaries.isInstalled(runtime)) {
      this.#logger.warn("Another runtime takes a container", { id, runtime: fallback, because: `no ${runtime} here` });
      return await this.#create({ ...request, runtime: fallback });
    }
    try {
      return await this.#create(request);
    } catch (error) {
      if (!isInability(error)) throw error;
      this.#logger.warn("Another runtime takes a container", { id, runtime: fallback, because: error.message });
      return await this.#create({ ...request, runtime: fallback }).catch((failure: unknown) => {
        this.#logger.warn("It cannot create it either", { id, runtime: fallback, failure });
        throw error;
      });
    }
  }

  async #create(request: CreateRequest): Promise<Created> {
    const { id, runtime, bundle, log } = request;
    const plain = this.#binaries.runtime(runtime);
    const conmon = this.#binaries.conmon();
    const { rootfs, cgroupsPath, whole } = toCome(request.spec);
    const record: ContainerRecord = {
      id,
      runtime,
      bundle,
      cgroupsPath,
      rootfs,
      log,
      memoryLimited: false,
      ...apparmorOf(request),
    };
    this.#exits.forget(id);
    cleanBundle(bundle);
    // Written before anything exists, so that whatever a killed daemon has left half-made is found.
    this.#records.put(record);
    try {
      placeConfiner(bundle, request.landlock);
      if (request.sharedMemory !== undefined) openSharedMemory(bundle, request.sharedMemory);
      if (log.path !== undefined) beginGenerations(log.path, log.maxSize, log.maxFiles ?? 1);
      const others = this.#records.all().filter((other) => other.id !== id);
      const trees = others.map((other) => other.rootfs);
      const ready = this.#ready(record, whole, request.apparmor);
      // Awaited below; a supervisor that cannot be started is heard of first.
      ready.catch(() => {});
      const supervisor = await this.#supervise(request, this.#own.creating(record, plain, trees), conmon, ready);
      supervisor.hangUp();
      const processes = {
        init: identifyProcess(supervisor.containerPid),
        supervisor: identifyProcess(supervisor.pid),
      };
      const spec = await ready;
      if (isConfined(bundle)) {
        // The runtime has looked for the confiner only.
        const trouble = commandTrouble(supervisor.containerPid, spec.process);
        if (trouble !== undefined) throw new RuntimeRefusal(trouble, 1);
      }
      if (runtime === "crun") this.#filters.learn(spec, this.#binaries.crunFolder(id));
      const made = { ...record, memoryLimited: hasMemoryLimit(spec), processes };
      this.#records.put(made);
      this.#logs.begin(id, log);
      this.#observation.begin(made);
      this.#supervision.follow(id, processes.supervisor, supervisor.ended);
      // One that was killed meanwhile has its exit on record already.
      this.#exits.check(id);
      return processes;
    } catch (error) {
      await this.#removal.undo(record);
      await unloadUnusedProfile(record.apparmor, this.#records, this.#logger);
      if (!(error instanceof RuntimeRefusal)) throw toHavreError(error);
      const { process } = await whole;
      const [command = ""] = process.args;
      throw runtimeError({ operation: "create", output: error.message, command, cause: error });
    }
  }

  /** Brings about what the runtime needs: its cgroup and the bundle's configuration, which is returned. */
  async #ready(
    record: ContainerRecord,
    whole: Promise<RuntimeSpec>,
    made: CreateRequest["apparmor"],
  ): Promise<RuntimeSpec> {
    const { id, runtime, bundle } = record;
    const given = await whole;
    const asked = isConfined(bundle) ? allowingLandlock(given) : given;
    const process = fitToHost(asked.process, this.#ceilings, (what) => this.#logger.warn(what, { id }));
    const spec = { ...asked, process };
    await ensureAppArmorProfile(process.apparmorProfile, made);
    this.#own.make(record, spec.linux.resources);
    const handed = confined(runtime === "crun" ? this.#filters.prepare(spec) : spec, bundle);
    writeFileSync(join(bundle, "config.json"), encodeForRuntime(handed), { mode: 0o600 });
    return spec;
  }

  async start(id: string, asked: string): Promise<void> {
    const runtime = this.#runtimeOf(id, asked);
    if (runtime === "crun" && startThroughPipe(this.#binaries.crunFolder(id))) return;
    await this.#command(runtime, "start", ["start", id]);
  }

  async kill(id: string, _runtime: string, signal: number, all = false): Promise<void> {
    const record = this.#records.get(id);
    const reached =
      all && record?.cgroupsPath !== undefined
        ? killCgroup(this.#cgroups, record.cgroupsPath, signal) > 0
        : record?.processes !== undefined && signalProcess(record.processes.init, signal);
    if (!reached) throw new HavreError("not-found", `Container ${id} has no process`);
  }

  pause(id: string, runtime: string): Promise<void> {
    return this.#limits.pause(id, this.#runtimeOf(id, runtime));
  }

  resume(id: string, runtime: string): Promise<void> {
    return this.#limits.resume(id, this.#runtimeOf(id, runtime));
  }

  update(id: string, runtime: string, resources: RuntimeResources): Promise<void> {
    return this.#limits.update(id, this.#runtimeOf(id, runtime), resources, this.#exits.path());
  }

  async delete(id: string, runtime: string, bundle: string, force = false): Promise<void> {
    const record = this.#records.get(id);
    const alive = record?.processes !== undefined && isProcessAlive(record.processes.init);
    if (alive && !force && (await this.status(id, runtime)) !== "created") {
      throw new HavreError("failed-precondition", `Container ${id} is running`);
    }
    if (record) this.#logs.end(id, record.log);
    this.#observation.end(id);
    // Forgotten before its supervisor is killed, whose end is then no news.
    this.#records.forget(id);
    await this.#removal.remove(record ?? { id, runtime, bundle, cgroupsPath: undefined });
    // Its exit may be on record and not told yet; afterwards nobody knows whose it is.
    this.#exits.check(id);
    this.#records.delete(id);
    await unloadUnusedProfile(record?.apparmor, this.#records, this.#logger);
  }

  async status(id: string, asked: string): Promise<RuntimeStatus> {
    const runtime = this.#runtimeOf(id, asked);
    if (runtime === "crun")
      return crunStatus(this.#binaries.crunFolder(id), this.#cgroups, this.#records.get(id)?.cgroupsPath);
    const result = await this.#runtimeCommand(runtime, ["state", id]);
    if (result.code !== 0) {
      if (/does not exist|No such file/i.test(result.stderr)) return "absent";
      throw runtimeError({ operation: "state", output: result.stderr });
    }
    const { status } = JSON.parse(result.stdout) as { status: RuntimeStatus };
    return status;
  }

  async observe(id: string, runtime: string, _bundle: string): Promise<Observed> {
    const record = this.#records.get(id);
    const processes = record?.processes;
    const status = await this.status(id, runtime);
    if (processes === undefined || !isProcessAlive(processes.init)) {
      // While there is a record a removal is not finished, however little is left.
      return { status: status === "absent" && record === undefined ? "absent" : "stopped" };
    }
    return { status, processes };
  }

  async attach(_id: string, bundle: string, _stdio: StdioSpec): Promise<IoConnection> {
    return await AttachConnection.open(join(bundle, "attach"));
  }

  resize(id: string, bundle: string, height: number, width: number): void {
    writeTerminalSize(bundle, height, width, `Container ${id}`);
  }

  async exec(asked: ExecRequest): Promise<RunningExec> {
    const warn = (what: string) => this.#logger.warn(what, { id: asked.containerId });
    const process = fitToHost(asked.process, this.#ceilings, warn);
    const record = this.#records.get(asked.containerId);
    const init = record?.processes?.init.pid;
    if (isConfined(asked.bundle) && init !== undefined) {
      const trouble = commandTrouble(init, process);
      if (trouble !== undefined)
        throw runtimeError({ operation: "exec", output: trouble, command: process.args[0] ?? "" });
    }
    const request = {
      ...asked,
      runtime: this.#runtimeOf(asked.containerId, asked.runtime),
      process: confinedProcess(process, asked.bundle),
    };
    const plain = this.#binaries.runtime(request.runtime);
    const binary = this.#own.entering(record, plain);
    if (request.runtime === "crun" && !request.stdio.terminal) {
      return await execDirect(request, binary, this.#timeout, (pid, ended) => {
        if (this.#own.pathOf(record) !== undefined) this.#helpers.add(pid, ended);
      });
    }
    return await execSupervised(request, binary, this.#binaries.conmon(), this.#timeout);
  }

  onExit(listener: (exit: Exit) => void): Disposable {
    return this.#exits.onExit(listener);
  }

  onOom(listener: (id: string) => void): Disposable {
    return this.#observation.onOom(listener);
  }

  recordedExit(id: string): Exit | undefined {
    return this.#exits.read(id);
  }

  forgetExit(id: string): void {
    this.#exits.forget(id);
  }

  stats(id: string): CgroupStats | undefined {
    return this.#observation.stats(id);
  }

  processes(id: string): readonly number[] {
    return this.#observation.processes(id);
  }

  interfaceCounters(pid: number): Readonly<Record<string, InterfaceCounters>> {
    return this.#observation.interfaceCounters(pid);
  }

  async recover(): Promise<void> {
    this.#exits.rescan();
    for (const record of this.#records.all()) {
      if (record.processes === undefined) {
        this.#logger.info("Undoing a container creation that was interrupted", { id: record.id });
        await this.#removal.undo(record);
      } else if (!this.#exits.isRecorded(record.id)) this.#adopt(record, record.processes);
    }
  }

  async #supervise(
    request: CreateRequest,
    { binary, within }: Call,
    conmon: string,
    ready: Promise<unknown>,
  ): Promise<Supervisor> {
    const keep = makeLivenessPipe(request.bundle);
    try {
      return await startSupervisor({
        conmon,
        args: containerArguments(request, binary, this.#exits.path()),
        folder: request.bundle,
        timeout: this.#timeout,
        keep,
        within,
        ready,
      });
    } finally {
      closeSync(keep);
    }
  }

  #adopt(record: ContainerRecord, { supervisor }: Created): void {
    this.#logs.begin(record.id, record.log);
    this.#observation.begin(record);
    this.#supervision.adopt(record, supervisor);
  }

  #settle(id: string): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#logs.end(id, record.log);
    this.#observation.settle(record);
  }

  #runtimeOf(id: string, asked: string): string {
    return this.#records.get(id)?.runtime ?? asked;
  }

  async #runtimeCommand(runtime: string, args: readonly string[]): Promise<CommandResult> {
    return await runRuntime(this.#binaries.runtime(runtime), args, this.#timeout);
  }

  async #command(runtime: string, operation: string, args: readonly string[]): Promise<void> {
    const result = await this.#runtimeCommand(runtime, args);
    if (result.code !== 0) throw runtimeError({ operation, output: result.stderr });
  }
}

function toCome(spec: CreateRequest["spec"]): SpecToCome {
  if ("whole" in spec) return spec;
  return { rootfs: spec.root.path, cgroupsPath: spec.linux.cgroupsPath, whole: Promise.resolve(spec) };
}

function apparmorOf({ apparmor }: CreateRequest): Pick<ContainerRecord, "apparmor"> {
  return apparmor === undefined ? {} : { apparmor: apparmor.name };
}
