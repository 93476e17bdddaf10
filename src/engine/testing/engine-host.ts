/** For root tests: the engine as the daemon wires it, in folders of its own, with one image (`bb`); checks at its end that nothing stays. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildBusyboxTar } from "../../../e2e/harness/busybox.ts";
import { expectNoLeaks, naming, type Snapshot, takeSnapshot } from "../../../scripts/test/leaks.ts";
import { type Logger, lineLogger } from "../../base/mod.ts";
import { type Assembly, assemble } from "../../daemon/assemble.ts";
import { decodeContainerCreate } from "../../spec/mod.ts";
import { type Container, type ContainerState, containerKind } from "../container.ts";
import { recoverContainers } from "../lifecycle/recover.ts";

let count = 0;

/** Body of the API's create request; no network unless asked for. */
export interface ContainerBody {
  readonly Cmd?: readonly string[];
  readonly HostConfig?: object;
  readonly [field: string]: unknown;
}

export class EngineHost implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "havre-engine-"));
  readonly #bridge = `hve${(process.pid * 7 + count++) % 4096}`;
  readonly #subnet = `10.${176 + (count % 16)}.${process.pid & 255}.0/24`;
  readonly #before: Snapshot = takeSnapshot({ folders: [this.folder] });
  /** What the engine logged as a warning or worse. */
  readonly logged: string[] = [];
  readonly #log: Logger = lineLogger((line) => this.logged.push(line), "warn");
  #engine: Assembly | undefined;

  static async open(): Promise<EngineHost> {
    const host = new EngineHost();
    await host.begin();
    const tar = join(host.folder, "bb.tar");
    await buildBusyboxTar(tar);
    const source = Bun.file(tar).stream() as unknown as AsyncIterable<Uint8Array>;
    await host.engine.images.import({ source, repository: "bb", changes: ["CMD sleep 600"] }, () => {});
    return host;
  }

  get engine(): Assembly {
    if (!this.#engine) throw new Error("The engine does not run");
    return this.#engine;
  }
  get containers() {
    return this.engine.containers;
  }
  get context() {
    return this.engine.context;
  }

  /** Starts an engine on the folders, as a daemon does. */
  async begin(): Promise<void> {
    await this.assemble();
    await recoverContainers(this.context, this.containers);
  }

  /** As `begin`, before it looks at what is there. */
  async assemble(): Promise<void> {
    const root = join(this.folder, "root");
    const run = join(this.folder, "run");
    for (const name of ["root/containers", "root/removed-logs", "run/bundles"]) {
      mkdirSync(join(this.folder, name), { recursive: true });
    }
    const options = {
      bridge: this.#bridge,
      subnet: this.#subnet,
      openPorts: false,
      forbiddenGrants: [],
      defaultAddressPools: [],
      hostAccess: false,
      logLevel: "warn" as const,
      runtimes: new Map(),
      registryMirrors: [],
      insecureRegistries: [],
    };
    this.#engine = await assemble({ root, run, defaultRuntime: "crun", ...options }, this.#log);
  }

  async end(): Promise<void> {
    await this.engine.close();
    this.#engine = undefined;
  }

  /** The new container's id. */
  async create(body: ContainerBody = {}, name?: string): Promise<string> {
    const { HostConfig, ...config } = body;
    const text = JSON.stringify({ Image: "bb", ...config, HostConfig: { NetworkMode: "none", ...HostConfig } });
    const { id } = await this.containers.create(decodeContainerCreate(text), name === undefined ? {} : { name });
    return id;
  }

  async run(body: ContainerBody = {}): Promise<string> {
    const id = await this.create(body);
    await this.containers.start(id);
    return id;
  }

  /** Undefined once its object is gone. */
  find(id: string): Container | undefined {
    return this.context.store.view((tx) => tx.get(containerKind, id));
  }

  state(id: string): ContainerState | undefined {
    return this.find(id)?.status.state;
  }

  /** Resolves when the container fits. */
  async until(id: string, fits: (container: Container | undefined) => boolean): Promise<void> {
    if (fits(this.find(id))) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    using _watching = this.context.store.watch(containerKind, () => {
      if (fits(this.find(id))) resolve();
    });
    await promise;
  }

  /** Resolves with the next event of this action. */
  async event(action: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _listening = this.engine.events.listen((event) => {
      if (event.action === action) resolve();
    });
    await promise;
  }

  /** Processes that the kernel has in the container, seen from outside of the engine. */
  processes(id: string): readonly number[] {
    return this.context.runtime.processes(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { id } of this.containers.list()) await this.containers.remove(id, { force: true });
    await this.containers.close();
    await this.context.ports.tearDown();
    await this.engine.networks.tearDown();
    await this.end();
    await expectNoLeaks(this.#before, { only: naming(this.folder, this.#bridge) });
    rmSync(this.folder, { recursive: true, force: true });
  }
}
