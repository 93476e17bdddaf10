import { afterAll, afterEach, beforeAll } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expectNoLeaks, naming, takeSnapshot } from "../../scripts/test/leaks.ts";
import { buildBusyboxTar } from "./busybox.ts";
import { type DaemonSettings, HAVRE, TestDaemon } from "./daemon.ts";
import { dockerCli } from "./docker-cli.ts";
import { type Outcome, type RunOptions, run, runBytes } from "./process.ts";
import { TerminalSession } from "./terminal.ts";

/** DOCKER_HOST of another engine to run the same tests on: what these tests say of Docker is then seen on Docker. */
export const OTHER_ENGINE = process.env.HAVRE_TEST_ENGINE;
const LABEL = `havre.e2e=${process.pid}`;

/** An engine under test and the tools to drive it. Containers made with `docker` carry a label and are removed after each test. */
export class Engine {
  readonly daemon: TestDaemon | undefined;
  readonly host: string;
  /** Files of tests that need some. */
  readonly folder: string;
  readonly #containers = new Set<string>();
  #config = "";

  constructor(daemon: TestDaemon | undefined) {
    this.daemon = daemon;
    this.host = daemon?.host ?? OTHER_ENGINE ?? "";
    this.folder = mkdtempSync(join(tmpdir(), "havre-files-"));
    this.#config = join(this.folder, ".docker");
  }

  /** `--filter` that finds only the tests' own containers. */
  readonly filter = `label=${LABEL}`;

  /** The daemon, in tests that kill or restart it. */
  get own(): TestDaemon {
    if (this.daemon === undefined) throw new Error("This test needs Havre's own daemon");
    return this.daemon;
  }

  get env(): Readonly<Record<string, string>> {
    return { DOCKER_HOST: this.host, DOCKER_CONFIG: this.#config, DOCKER_CLI_HINTS: "false" };
  }

  /** The docker command line, whatever it exits with. */
  docker(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return run(dockerCli(), labelled(args), { ...options, env: { ...this.env, ...options.env } });
  }

  dockerBytes(args: readonly string[], options: RunOptions = {}) {
    return runBytes(dockerCli(), labelled(args), { ...options, env: { ...this.env, ...options.env } });
  }

  /** As `docker`, must succeed; its standard output without the last newline. */
  async ok(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const outcome = await this.docker(args, options);
    if (outcome.code !== 0) {
      throw new Error(`docker ${args.join(" ")} exited with ${outcome.code}: ${outcome.stdout}${outcome.stderr}`);
    }
    return outcome.stdout.replace(/\n$/, "");
  }

  /** The `havre` command line on the engine's socket. */
  havre(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const { root, run: runFolder } = this.own;
    return run(HAVRE, args, { ...options, env: { HAVRE_ROOT: root, HAVRE_RUN: runFolder, ...options.env } });
  }

  /** `docker ARGS` in a terminal. */
  terminal(args: readonly string[], size?: { readonly rows: number; readonly cols: number }): TerminalSession {
    return new TerminalSession([dockerCli(), ...labelled(args)], this.env, size);
  }

  /** `docker inspect`, one object. */
  async inspect<T>(ref: string, format?: string): Promise<T> {
    return JSON.parse(await this.ok(["inspect", "--format", format ?? "{{json .}}", ref])) as T;
  }

  /** A request to the API, below the newest version all engines here speak. */
  api(method: string, path: string, body?: unknown, init: RequestInit = {}): Promise<Response> {
    const payload =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    const unix = this.host.replace("unix://", "");
    return fetch(`http://engine/v1.45${path}`, { method, unix, ...payload, ...init });
  }

  /** Imports the image `bb`, a static busybox at /bin with its applets, unless it is there. */
  async loadBusybox(): Promise<void> {
    if ((await this.docker(["image", "inspect", "bb"])).code === 0) return;
    const tar = join(this.folder, "bb.tar");
    await buildBusyboxTar(tar);
    await this.ok(["import", tar, "bb"]);
  }

  async removeContainers(): Promise<void> {
    const all = await this.ok(["ps", "-aq", "--no-trunc", "--filter", this.filter]);
    const ids = all.split("\n").filter((id) => id !== "");
    for (const id of ids) this.#containers.add(id);
    if (ids.length > 0) await this.ok(["rm", "-f", "-v", ...ids], { timeout: 60_000 });
  }

  /** Ids of the containers that there were, for telling leaks from what others do. */
  get containers(): readonly string[] {
    return [...this.#containers];
  }

  file(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Containers the tests make are found again by their label. */
function labelled(args: readonly string[]): readonly string[] {
  const verb = args[0] === "container" ? 1 : 0;
  if (args[verb] !== "run" && args[verb] !== "create") return args;
  return [...args.slice(0, verb + 1), "--label", LABEL, ...args.slice(verb + 1)];
}

/**
 * An engine for all tests of a file: started before the first, ended after the last, which must leave nothing behind.
 * With HAVRE_TEST_ENGINE the engine named there instead.
 */
export function useEngine(settings: DaemonSettings = {}): Engine {
  const daemon = OTHER_ENGINE === undefined ? new TestDaemon(settings) : undefined;
  const engine = new Engine(daemon);
  const before = takeSnapshot({ folders: daemon === undefined ? [] : [daemon.run] });
  beforeAll(async () => {
    await daemon?.start();
    await engine.loadBusybox();
  }, 60_000);
  afterEach(() => engine.removeContainers(), 60_000);
  afterAll(async () => {
    engine.dispose();
    if (daemon === undefined) return;
    await daemon.end();
    await daemon.removeNetwork();
    const words = [daemon.folder, daemon.bridge, ...engine.containers];
    await expectNoLeaks(before, { only: naming(...words) });
    await daemon[Symbol.asyncDispose]();
  }, 60_000);
  return engine;
}
