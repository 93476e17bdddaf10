/** For root tests: a runtime with folders of its own and containers with busybox in them; checks at its end that nothing stays. */
import { copyFileSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expectNoLeaks, naming, type Snapshot, takeSnapshot } from "../../../scripts/test/leaks.ts";
import { newId, silentLogger } from "../../base/mod.ts";
import type { RuntimeProcess, RuntimeResources, RuntimeSpec } from "../../spec/mod.ts";
import { ConmonRuntime } from "../conmon.ts";
import type { CreateRequest, Exit, IoConnection, LogSpec, StdioSpec } from "../runtime.ts";

const NO_STDIO: StdioSpec = { terminal: false, stdin: false, stdinOnce: false };

export interface ContainerOptions {
  readonly stdio?: Partial<StdioSpec>;
  readonly log?: Partial<LogSpec>;
  readonly runtime?: string;
  readonly resources?: RuntimeResources;
  readonly process?: Partial<RuntimeProcess>;
  readonly rootfs?: string;
  readonly logged?: false;
}

export class ContainerHost implements AsyncDisposable {
  readonly folder: string;
  readonly run: string;
  readonly rootfs: string;
  runtime: ConmonRuntime;
  readonly #before: Snapshot;
  readonly #containers: TestContainer[] = [];

  private constructor(timeout?: number) {
    this.folder = mkdtempSync(join(tmpdir(), "havre-runtime-"));
    this.run = join(this.folder, "run");
    this.rootfs = join(this.folder, "rootfs");
    this.#before = takeSnapshot({ folders: [this.folder] });
    for (const name of ["bin", "proc", "sys", "dev", "tmp"]) mkdirSync(join(this.rootfs, name), { recursive: true });
    copyFileSync(Bun.which("busybox") ?? "/bin/busybox", join(this.rootfs, "bin/busybox"));
    for (const applet of [
      "sh",
      "cat",
      "sleep",
      "true",
      "echo",
      "head",
      "wc",
      "stty",
      "kill",
      "yes",
      "dd",
      "seq",
      "tr",
      "test",
    ]) {
      symlinkSync("busybox", join(this.rootfs, "bin", applet));
    }
    this.runtime = this.newRuntime(timeout);
  }

  static async open(timeout?: number): Promise<ContainerHost> {
    const host = new ContainerHost(timeout);
    await host.runtime.recover();
    return host;
  }

  newRuntime(timeout?: number): ConmonRuntime {
    return new ConmonRuntime({ run: this.run, logger: silentLogger, ...(timeout === undefined ? {} : { timeout }) });
  }

  get cgroupParent(): string {
    return `/${basename(this.folder)}`;
  }

  process(args: readonly string[], change: Partial<RuntimeProcess> = {}): RuntimeProcess {
    return { user: { uid: 0, gid: 0 }, args, env: ["PATH=/bin"], cwd: "/", ...change };
  }

  request(args: readonly string[], options: ContainerOptions = {}): CreateRequest {
    const id = newId();
    const bundle = join(this.folder, id.slice(0, 12));
    mkdirSync(bundle);
    const stdio = { ...NO_STDIO, ...options.stdio };
    const spec: RuntimeSpec = {
      ociVersion: "1.0.2",
      root: { path: options.rootfs ?? this.rootfs },
      process: this.process(args, { terminal: stdio.terminal, ...options.process }),
      mounts: [
        { destination: "/proc", type: "proc", source: "proc" },
        { destination: "/dev", type: "tmpfs", source: "tmpfs" },
        { destination: "/dev/pts", type: "devpts", source: "devpts", options: ["newinstance", "ptmxmode=0666"] },
      ],
      linux: {
        namespaces: [{ type: "mount" }, { type: "pid" }, { type: "ipc" }, { type: "uts" }, { type: "network" }],
        cgroupsPath: `${this.cgroupParent}/${id}`,
        ...(options.resources === undefined ? {} : { resources: options.resources }),
      },
    };
    const path = options.logged === false ? {} : { path: join(bundle, "ctr.log") };
    const log = { ...path, maxSize: 1 << 30, ...options.log };
    return { id, runtime: options.runtime ?? "crun", bundle, spec, stdio, log };
  }

  async create(args: readonly string[], options: ContainerOptions = {}): Promise<TestContainer> {
    const container = new TestContainer(this, this.request(args, options));
    this.#containers.push(container);
    await container.create();
    return container;
  }

  /** Shell script, started, nobody attached. */
  async start(script: string, options: ContainerOptions = {}): Promise<TestContainer> {
    const container = await this.create(["sh", "-c", script], options);
    await container.start();
    return container;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const container of this.#containers) await container.delete();
    this.runtime[Symbol.dispose]();
    for (const tree of ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd", ""]) {
      removeIfThere(join("/sys/fs/cgroup", tree, this.cgroupParent));
    }
    removeIfThere(join("/sys/fs/cgroup/unified", this.cgroupParent));
    rmSync(this.folder, { recursive: true });
    await expectNoLeaks(this.#before, { only: naming(basename(this.folder)) });
  }
}

/** Fails when a cgroup still holds anything: that is what these tests look for. */
function removeIfThere(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}

export class TestContainer {
  readonly #host: ContainerHost;
  readonly request: CreateRequest;
  readonly exited: Promise<Exit>;
  readonly #exited = Promise.withResolvers<Exit>();

  constructor(host: ContainerHost, request: CreateRequest) {
    this.#host = host;
    this.request = request;
    this.exited = this.#exited.promise;
    host.runtime.onExit((exit) => exit.id === request.id && this.#exited.resolve(exit));
  }

  get id(): string {
    return this.request.id;
  }
  get logPath(): string {
    return this.request.log.path ?? "";
  }

  create = () => this.#host.runtime.create(this.request);
  start = () => this.#host.runtime.start(this.id, this.request.runtime);
  kill = (signal: number, all?: boolean) => this.#host.runtime.kill(this.id, this.request.runtime, signal, all);
  status = () => this.#host.runtime.status(this.id, this.request.runtime);
  delete = () => this.#host.runtime.delete(this.id, this.request.runtime, this.request.bundle, true);
  attach = () => this.#host.runtime.attach(this.id, this.request.bundle, this.request.stdio);

  exec(args: readonly string[], stdio: Partial<{ terminal: boolean; stdin: boolean; attach: boolean }> = {}) {
    return this.#host.runtime.exec({
      containerId: this.id,
      runtime: this.request.runtime,
      execId: newId(),
      bundle: this.request.bundle,
      process: this.#host.process(args),
      stdio: { terminal: false, stdin: false, attach: true, ...stdio },
    });
  }
}

/** Collects a connection's output as text by stream. */
export function collect(io: IoConnection): { stdout: string; stderr: string; saw(text: string): Promise<void> } {
  const wanted: { text: string; found: () => void }[] = [];
  const output = {
    stdout: "",
    stderr: "",
    saw: (text: string) =>
      new Promise<void>((found) => {
        wanted.push({ text, found });
        check();
      }),
  };
  const check = () => {
    for (const { text, found } of wanted) if (`${output.stdout}\n${output.stderr}`.includes(text)) found();
  };
  io.onOutput(({ stream, data }) => {
    output[stream] += Buffer.from(data).toString("latin1");
    check();
    return true;
  });
  return output;
}
