import { posix } from "node:path";
import { HavreError } from "../../base/mod.ts";
import type { ExecutionConfig } from "../../spec/mod.ts";
import {
  type ArgCommand,
  type Command,
  type CommandLine,
  type Dockerfile,
  DockerfileError,
  expandWord,
  type KeyValue,
  type Stage,
} from "../dockerfile/mod.ts";
import { buildkitHealthcheck, classicHealthcheck, plainList, quotedList } from "./history-text.ts";
import type { GraphOptions } from "./options.ts";
import type { GraphStep, HistoryItem, ImageState } from "./plan.ts";
import { exposedPorts } from "./ports.ts";
import { execVertex } from "./run-vertex.ts";
import { StageScope } from "./scope.ts";
import { transferVertex } from "./transfer-vertex.ts";
import { type Lines, type Vertex, vertex } from "./vertex.ts";

export interface StageInput {
  readonly stage: Stage;
  readonly dockerfile: Dockerfile;
  readonly options: GraphOptions;
  readonly globals: ReadonlyMap<string, string>;
  readonly start: Vertex;
  readonly initial: ImageState;
  /** Vertices the stage makes. */
  readonly total: number;
  /** The Dockerfile has no other stage. */
  readonly isOnly: boolean;
  readonly inheritedArgs: ReadonlyMap<string, string | undefined>;
  /** What `--from` names. */
  tree(words: string): Promise<Vertex>;
}

const DEFAULT_SHELL = ["/bin/sh", "-c"];
const BUILDKIT_COMMENT = "buildkit.dockerfile.v0";

/** A stage while its commands are gone through: the tree so far, what the image will be, the variables. */
export class StagePlanner {
  readonly #input: StageInput;
  readonly #scope: StageScope;
  #vertex: Vertex;
  #config: ExecutionConfig;
  #author: string;
  #history: readonly HistoryItem[];
  #made = 1;
  #commandGiven = false;
  readonly steps: GraphStep[] = [];

  constructor(input: StageInput) {
    this.#input = input;
    this.#vertex = input.start;
    this.#config = input.initial.config;
    this.#author = input.initial.author;
    this.#history = input.initial.history;
    this.#scope = new StageScope(this.#config.Env ?? [], input.inheritedArgs);
  }

  async add(command: Command, onBuild: boolean): Promise<void> {
    const before = this.#vertex;
    try {
      await this.#apply(command, onBuild);
    } catch (error) {
      if (!(error instanceof HavreError) || error instanceof DockerfileError || error.kind !== "invalid-argument")
        throw error;
      throw new DockerfileError(error.message, command.source.file, command.source.range);
    }
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
  }

  async #apply(command: Command, onBuild: boolean): Promise<void> {
    const word = (text: string) => this.#expand(text);
    switch (command.kind) {
      case "arg":
        return this.#arg(command);
      case "env": {
        const pairs = this.#pairs(command.pairs);
        this.#config = { ...this.#config, Env: pairs.reduce(withVariable, this.#config.Env ?? []) };
        for (const { key, value } of pairs) this.#scope.setEnv(key, value);
        const shown = pairs.map(({ key, value }) => `${key}=${value}`).join(" ");
        return this.#said(`ENV ${shown}`, ` ENV ${shown}`);
      }
      case "label": {
        const pairs = this.#pairs(command.pairs);
        const labels = Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
        this.#config = { ...this.#config, Labels: { ...this.#config.Labels, ...labels } };
        const shown = pairs.map(({ key, value }) => `${key}=${value}`).join(" ");
        return this.#said(`LABEL ${shown}`, ` LABEL ${shown}`);
      }
      case "maintainer":
        this.#author = word(command.maintainer);
        return this.#said(`MAINTAINER ${this.#author}`, ` MAINTAINER ${this.#author}`);
      case "user": {
        const user = word(command.user);
        this.#config = { ...this.#config, User: user };
        return this.#said(`USER ${user}`, ` USER ${user}`);
      }
      case "stopsignal": {
        const signal = word(command.signal);
        this.#config = { ...this.#config, StopSignal: signal };
        return this.#said(`STOPSIGNAL ${signal}`, ` STOPSIGNAL ${signal}`);
      }
      case "shell":
        this.#config = { ...this.#config, Shell: [...command.shell] };
        return this.#said(`SHELL ${plainList(command.shell)}`, ` SHELL ${plainList(command.shell)}`);
      case "volume": {
        const paths = command.paths.map(word);
        if (paths.includes("")) throw invalid("VOLUME specified can not be an empty string");
        const volumes = Object.fromEntries(paths.map((path) => [path, {}]));
        this.#config = { ...this.#config, Volumes: { ...this.#config.Volumes, ...volumes } };
        return this.#said(`VOLUME ${plainList(paths)}`, ` VOLUME ${plainList(paths)}`);
      }
      case "expose": {
        const words = command.ports.flatMap((text) => this.#expandWords(text));
        const ports = exposedPorts(words);
        this.#config = { ...this.#config, ExposedPorts: { ...this.#config.ExposedPorts, ...ports } };
        const asked = [...words].sort().join(" ");
        return this.#said(`EXPOSE ${plainList(Object.keys(ports))}`, ` EXPOSE ${asked}`);
      }
      case "healthcheck":
        this.#config = { ...this.#config, Healthcheck: command.healthcheck };
        return this.#said(
          `HEALTHCHECK ${buildkitHealthcheck(command.healthcheck)}`,
          ` HEALTHCHECK ${classicHealthcheck(command.healthcheck)}`,
        );
      case "onbuild":
        this.#config = { ...this.#config, OnBuild: [...(this.#config.OnBuild ?? []), command.trigger] };
        return this.#said(`ONBUILD ${command.trigger}`, ` ONBUILD ${command.trigger}`);
      case "cmd": {
        const words = this.#commandLine(command.line);
        this.#config = { ...this.#config, Cmd: words, ...(this.#classic ? {} : { ArgsEscaped: true }) };
        this.#commandGiven = true;
        return this.#said(`CMD ${quotedList(words)}`, ` CMD ${quotedList(words)}`);
      }
      case "entrypoint": {
        const words = this.#commandLine(command.line);
        const { Cmd: inherited, ...config } = this.#config;
        // A command of the base image was meant for its entry point.
        const kept = this.#commandGiven && inherited ? { Cmd: inherited } : {};
        this.#config = { ...config, ...kept, Entrypoint: words };
        return this.#said(`ENTRYPOINT ${quotedList(words)}`, ` ENTRYPOINT ${quotedList(words)}`);
      }
      case "workdir":
        return this.#workdir(word(command.path), command, onBuild);
      case "run":
        return this.#run(command, onBuild);
      case "copy":
      case "add": {
        const { vertex: made, shown } = await transferVertex({
          command,
          onto: this.#vertex,
          workingFolder: this.#config.WorkingDir || "/",
          expand: word,
          expandContent: (text) => this.#expandContent(text),
          tree: (words) => this.#input.tree(words),
          detail: this.#detail(command, onBuild),
        });
        const verb = command.kind.toUpperCase();
        return this.#grown(made, `${verb} ${shown} # buildkit`, `${verb} ${shown}`);
      }
    }
  }

  #arg({ args }: ArgCommand): void {
    const { globals, options } = this.#input;
    const said: string[] = [];
    const asWritten: string[] = [];
    for (const { key, value } of args) {
      const given = options.buildArgs[key];
      const own = given ?? (value === undefined ? globals.get(key) : this.#expand(value));
      this.#scope.setArg(key, own);
      said.push(own === undefined ? key : `${key}=${own}`);
      asWritten.push(value === undefined ? key : `${key}=${this.#expand(value)}`);
    }
    this.#said(`ARG ${said.join(" ")}`, ` ARG ${asWritten.join(" ")}`);
  }

  #workdir(path: string, command: Command, onBuild: boolean): void {
    const folder = posix.resolve(this.#config.WorkingDir || "/", path);
    this.#config = { ...this.#config, WorkingDir: folder };
    const owner = !this.#classic && this.#config.User ? { owner: this.#config.User } : {};
    if (folder === "/") {
      this.#said(`WORKDIR ${folder}`, `WORKDIR ${folder}`);
      return;
    }
    const op = { kind: "make-folder", path: folder, ...owner } as const;
    this.#grown(vertex(op, [this.#vertex], this.#detail(command, onBuild)), `WORKDIR ${folder}`, `WORKDIR ${folder}`);
  }

  async #run(command: Extract<Command, { kind: "run" }>, onBuild: boolean): Promise<void> {
    const { vertex: made, args } = await execVertex({
      command,
      root: this.#vertex,
      config: this.#config,
      shell: this.#shell,
      scope: this.#scope,
      options: this.#input.options,
      expand: (text) => this.#expand(text),
      tree: (words) => this.#input.tree(words),
      detail: this.#detail(command, onBuild),
    });
    const given = this.#historyArgs();
    const shown = [...given, ...args].join(" ");
    this.#vertex = made;
    this.#record(`RUN ${shown} # buildkit`, shown, made);
  }

  /** `|2 a=b c=d`, as both builders write arguments in front of a command. */
  #historyArgs(): readonly string[] {
    const declared = this.#classic
      ? [...this.#scope.runArgs()].sort()
      : [...this.#scope.args].map(([key, value]) => `${key}=${this.#scope.get(key) ?? value ?? ""}`);
    return declared.length === 0 ? [] : [`|${declared.length}`, ...declared];
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

  /** An instruction that only says something about the image. */
  #said(buildkit: string, classic: string): void {
    this.#record(buildkit, `${this.#shell.join(" ")} #(nop) ${classic}`, undefined);
  }

  /** An instruction that changes the tree. */
  #grown(made: Vertex, buildkit: string, classic: string): void {
    this.#vertex = made;
    this.#record(buildkit, `${this.#shell.join(" ")} #(nop) ${classic}`, made);
  }

  #record(buildkit: string, classic: string, made: Vertex | undefined): void {
    const entry: HistoryItem = this.#classic
      ? { kind: "made", createdBy: classic, vertex: made }
      : { kind: "made", createdBy: buildkit, comment: BUILDKIT_COMMENT, vertex: made };
    this.#history = [...this.#history, entry];
  }

  #detail(command: Command, onBuild: boolean) {
    const { stage, total, isOnly, options } = this.#input;
    const range = onBuild ? stage.source.range : command.source.range;
    const lines: Lines = { first: range.start.line, last: range.end.line };
    const prefix = isOnly ? "" : `${stage.name ?? `stage-${stage.index}`} `;
    const number = String(++this.#made).padStart(String(total).length);
    const name = `[${prefix}${number}/${total}] ${onBuild ? "ONBUILD " : ""}${titleOf(command.source.text)}`;
    const { noCache } = options;
    const ignoreCache = noCache === true || (Array.isArray(noCache) && noCache.includes(stage.name ?? ""));
    return { name, lines, ignoreCache };
  }

  #expand(text: string): string {
    return expandWord(text, this.#scope, this.#wordOptions).text;
  }

  #expandWords(text: string): readonly string[] {
    return expandWord(text, this.#scope, this.#wordOptions).words;
  }

  #expandContent(text: string): string {
    return expandWord(text, this.#scope, { escape: "\\", literalQuotes: true }).text;
  }

  get #wordOptions() {
    return { escape: this.#input.dockerfile.directives.escape };
  }

  #pairs(pairs: readonly KeyValue[]): readonly { readonly key: string; readonly value: string }[] {
    return pairs.map(({ key, value }) => ({ key: this.#expand(key), value: this.#expand(value) }));
  }
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

function invalid(message: string): HavreError {
  return new HavreError("invalid-argument", message);
}
