import { posix } from "node:path";
import type { ExecutionConfig, Platform } from "../../spec/mod.ts";
import type { ArgCommand, Command, CommandLine, PlannedStage, RunCommand, StageScope } from "../dockerfile/mod.ts";
import type { GraphStep, HistoryItem, ImageState } from "./graph.ts";
import { buildkitHealthcheck, classicHealthcheck, plainList, quotedList } from "./history-text.ts";
import type { GraphOptions } from "./options.ts";
import { execVertex } from "./run-vertex.ts";
import { transferVertex } from "./transfer-vertex.ts";
import { type Lines, type Vertex, type VertexDetail, vertex } from "./vertex.ts";

export interface StageInput {
  readonly stage: PlannedStage;
  readonly options: GraphOptions;
  /** Of the stage. */
  readonly platform: Platform;
  readonly scope: StageScope;
  readonly start: Vertex;
  readonly initial: ImageState;
  /** Vertices the stage makes, its start included. */
  readonly total: number;
  /** In front of the numbers of its steps: its title and a space, where there are other stages. */
  readonly prefix: string;
  /** What `--from` names. */
  tree(from: string, kind: "copy" | "mount"): Promise<Vertex>;
}

const DEFAULT_SHELL = ["/bin/sh", "-c"];
export const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const BUILDKIT_COMMENT = "buildkit.dockerfile.v0";

/** A stage while its commands are gone through: the tree so far, what the image will be. */
export class StageGrower {
  readonly #input: StageInput;
  #vertex: Vertex;
  #config: ExecutionConfig;
  #author: string;
  #history: readonly HistoryItem[];
  #made = 1;
  #commandGiven = false;
  readonly steps: GraphStep[] = [];
  /** What the stage is before its first step. */
  initial: ImageState;

  constructor(input: StageInput) {
    this.#input = input;
    this.initial = input.initial;
    this.#vertex = input.start;
    this.#config = input.initial.config;
    this.#author = input.initial.author;
    this.#history = input.initial.history;
  }

  async add(command: Command, onBuild: boolean): Promise<void> {
    const before = this.#vertex;
    // Words that are shown as they were written are taken from the command itself.
    await this.#apply(this.#input.scope.apply(command), command, onBuild);
    this.steps.push({
      command,
      onBuild,
      text: command.source.text,
      vertex: this.#vertex,
      changesTree: this.#vertex !== before,
      state: { config: this.#config, author: this.#author, history: this.#history },
    });
  }

  /** Labels that the build was asked for. */
  addLabels(labels: Readonly<Record<string, string>>): void {
    if (Object.keys(labels).length === 0) return;
    this.#config = { ...this.#config, Labels: { ...this.#config.Labels, ...labels } };
    const last = this.steps.at(-1);
    if (last) this.steps[this.steps.length - 1] = { ...last, state: { ...last.state, config: this.#config } };
    else this.initial = { ...this.initial, config: this.#config };
  }

  async #apply(command: Command, written: Command, onBuild: boolean): Promise<void> {
    switch (command.kind) {
      case "arg":
        return this.#arg(command, written as ArgCommand);
      case "env":
        this.#config = { ...this.#config, Env: command.pairs.reduce(withVariable, this.#config.Env ?? []) };
        return this.#said(`ENV ${command.pairs.map(({ key, value }) => `${key}=${value}`).join(" ")}`);
      case "label": {
        const labels = Object.fromEntries(command.pairs.map(({ key, value }) => [key, value]));
        this.#config = { ...this.#config, Labels: { ...this.#config.Labels, ...labels } };
        return this.#said(`LABEL ${command.pairs.map(({ key, value }) => `${key}=${value}`).join(" ")}`);
      }
      case "maintainer":
        this.#author = command.maintainer;
        return this.#said(`MAINTAINER ${this.#author}`);
      case "user":
        this.#config = { ...this.#config, User: command.user };
        return this.#said(`USER ${command.user}`);
      case "stopsignal":
        this.#config = { ...this.#config, StopSignal: command.signal };
        return this.#said(`STOPSIGNAL ${command.signal}`);
      case "shell":
        this.#config = { ...this.#config, Shell: command.shell };
        return this.#said(`SHELL ${plainList(command.shell)}`);
      case "volume": {
        const volumes = Object.fromEntries(command.paths.map((path) => [path, {}]));
        this.#config = { ...this.#config, Volumes: { ...this.#config.Volumes, ...volumes } };
        return this.#said(`VOLUME ${plainList(command.paths)}`);
      }
      case "expose": {
        const ports = Object.fromEntries(command.ports.map((port) => [port, {}]));
        this.#config = { ...this.#config, ExposedPorts: { ...this.#config.ExposedPorts, ...ports } };
        const asked = written.kind === "expose" ? [...written.ports].sort().join(" ") : "";
        return this.#said(`EXPOSE ${plainList(command.ports)}`, `EXPOSE ${asked}`);
      }
      case "healthcheck": {
        const { healthcheck } = command;
        this.#config = { ...this.#config, Healthcheck: healthcheck };
        const classic = `HEALTHCHECK ${classicHealthcheck(healthcheck)}`;
        return this.#said(`HEALTHCHECK ${buildkitHealthcheck(healthcheck)}`, classic);
      }
      case "onbuild":
        this.#config = { ...this.#config, OnBuild: [...(this.#config.OnBuild ?? []), command.trigger] };
        return this.#said(`ONBUILD ${command.trigger}`);
      case "cmd": {
        const words = this.#commandLine(command.line);
        this.#config = { ...this.#config, Cmd: words, ...(this.#classic ? {} : { ArgsEscaped: true }) };
        this.#commandGiven = true;
        return this.#said(`CMD ${quotedList(words)}`);
      }
      case "entrypoint": {
        const words = this.#commandLine(command.line);
        const { Cmd: inherited, ...config } = this.#config;
        // A command of the base image was meant for its entry point.
        const kept = this.#commandGiven && inherited ? { Cmd: inherited } : {};
        this.#config = { ...config, ...kept, Entrypoint: words };
        return this.#said(`ENTRYPOINT ${quotedList(words)}`);
      }
      case "workdir":
        return this.#workdir(command.path, this.#detail(written, onBuild));
      case "run":
        return this.#run(command, this.#detail(written, onBuild));
      case "copy":
      case "add": {
        const { vertex: made, shown } = await transferVertex({
          command,
          onto: this.#vertex,
          workingFolder: this.#config.WorkingDir || "/",
          tree: (from) => this.#input.tree(from, "copy"),
          latest: latestOf(this.#input.options),
          detail: this.#detail(written, onBuild),
        });
        const verb = command.kind.toUpperCase();
        return this.#grown(made, `${verb} ${shown} # buildkit`, `${verb} ${shown}`);
      }
    }
  }

  #arg({ args }: ArgCommand, written: ArgCommand): void {
    const shown = (all: ArgCommand["args"]) =>
      all.map(({ key, value }) => (value === undefined ? key : `${key}=${value}`)).join(" ");
    // The older builder said what the file says.
    this.#said(`ARG ${shown(args)}`, `ARG ${shown(written.args)}`);
  }

  #workdir(path: string, detail: VertexDetail): void {
    const folder = posix.resolve(this.#config.WorkingDir || "/", path);
    this.#config = { ...this.#config, WorkingDir: folder };
    const text = `WORKDIR ${folder}`;
    if (folder === "/") {
      this.#record(text, this.#nop(text), undefined);
      return;
    }
    const owner = !this.#classic && this.#config.User ? { owner: this.#config.User } : {};
    this.#grown(
      vertex({ kind: "make-folder", path: folder, ...owner, ...latestOf(this.#input.options) }, [this.#vertex], detail),
      text,
      text,
    );
  }

  async #run(command: RunCommand, detail: VertexDetail): Promise<void> {
    const { vertex: made, args } = await execVertex({
      command,
      root: this.#vertex,
      config: this.#config,
      shell: this.#shell,
      scope: this.#input.scope,
      options: this.#input.options,
      platform: this.#input.platform,
      tree: (from) => this.#input.tree(from, "mount"),
      detail,
    });
    const shown = [...this.#historyArgs(), ...args].join(" ");
    this.#vertex = made;
    this.#record(`RUN ${shown} # buildkit`, shown, made);
  }

  /** `|2 a=b c=d`, as both builders write arguments in front of a command. */
  #historyArgs(): readonly string[] {
    const variables = new Set((this.#config.Env ?? []).map((variable) => variable.split("=", 1)[0]));
    const declared = this.#input.scope.arguments
      .filter(([name]) => !this.#classic || !variables.has(name))
      .map(([name, value]) => `${name}=${value}`);
    const args = this.#classic ? declared.toSorted() : declared;
    return args.length === 0 ? [] : [`|${args.length}`, ...args];
  }

  #commandLine(line: CommandLine): readonly string[] {
    return line.form === "exec" ? line.arguments : [...this.#shell, line.text];
  }

  get #shell(): readonly string[] {
    return this.#config.Shell && this.#config.Shell.length > 0 ? this.#config.Shell : DEFAULT_SHELL;
  }

  get #classic(): boolean {
    return this.#input.options.history === "classic";
  }

  /** As the older builder marked what did not run: one more space where nothing was copied or made. */
  #nop(text: string): string {
    return `${this.#shell.join(" ")} #(nop) ${text}`;
  }

  /** An instruction that only says something about the image. */
  #said(buildkit: string, classic = buildkit): void {
    this.#record(buildkit, this.#nop(` ${classic}`), undefined);
  }

  /** An instruction that changes the tree. */
  #grown(made: Vertex, buildkit: string, classic: string): void {
    this.#vertex = made;
    this.#record(buildkit, this.#nop(classic), made);
  }

  #record(buildkit: string, classic: string, made: Vertex | undefined): void {
    const entry: HistoryItem = this.#classic
      ? { kind: "made", createdBy: classic, vertex: made }
      : { kind: "made", createdBy: buildkit, comment: BUILDKIT_COMMENT, vertex: made };
    this.#history = [...this.#history, entry];
  }

  #detail({ source }: Command, onBuild: boolean): VertexDetail {
    const { stage, total, prefix, options } = this.#input;
    const lines: Lines = { first: source.range.start.line, last: source.range.end.line };
    const number = String(++this.#made).padStart(String(total).length);
    const name = `[${prefix}${number}/${total}] ${onBuild ? "ONBUILD " : ""}${titleOf(source.text)}`;
    const { noCache } = options;
    const ignoreCache = noCache === true || (Array.isArray(noCache) && noCache.includes(stage.title));
    return { name, lines, ignoreCache };
  }
}

function latestOf({ epoch }: GraphOptions): { readonly latest?: number } {
  return epoch === undefined ? {} : { latest: epoch };
}

function withVariable(env: readonly string[], { key, value }: { readonly key: string; readonly value: string }) {
  const at = env.findIndex((variable) => variable.startsWith(`${key}=`));
  return at < 0 ? [...env, `${key}=${value}`] : env.with(at, `${key}=${value}`);
}

/** The instruction as a title: its name in capitals. */
function titleOf(text: string): string {
  const [, name = "", rest = ""] = /^(\S+)([\s\S]*)$/.exec(text.trim()) ?? [];
  return `${name.toUpperCase()}${rest}`;
}
