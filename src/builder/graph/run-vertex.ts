import { posix } from "node:path";
import { HavreError } from "../../base/mod.ts";
import type { ExecutionConfig, Platform } from "../../spec/mod.ts";
import type { RunCommand, RunMount, StageScope } from "../dockerfile/mod.ts";
import { contextFiles } from "./context-vertex.ts";
import type { ExecMount, ExecOp } from "./ops.ts";
import type { GraphOptions } from "./options.ts";
import { type Vertex, type VertexDetail, vertex } from "./vertex.ts";

export interface RunInput {
  readonly command: RunCommand;
  readonly root: Vertex;
  readonly config: ExecutionConfig;
  readonly shell: readonly string[];
  readonly scope: StageScope;
  readonly options: GraphOptions;
  readonly platform: Platform;
  tree(from: string): Promise<Vertex>;
  readonly detail: VertexDetail;
}

const SCRIPT_FOLDER = "/dev/pipes";

/** `RUN` as a vertex, and the command line it comes to. */
export async function execVertex(
  input: RunInput,
): Promise<{ readonly vertex: Vertex; readonly args: readonly string[] }> {
  const { command, config, scope, options, shell } = input;
  const inputs: Vertex[] = [input.root];
  const mounts: ExecMount[] = [];
  let agents = 0;
  for (const mount of command.mounts) {
    mounts.push(await mountOf(mount, input, inputs, () => agents++));
  }
  const { line } = command;
  if (line.form === "script") {
    const path = line.name;
    const file = vertex({ kind: "inline", files: [{ path, content: line.content, mode: 0o755 }] }, [], {
      name: "[internal] preparing inline document",
    });
    mounts.push({
      type: "bind",
      input: inputs.push(asTree(file, "/")) - 1,
      source: "/",
      target: SCRIPT_FOLDER,
      readOnly: true,
    });
  }
  const args = argsOf(line, shell);
  if (command.security === "insecure" && !options.allow?.includes("security.insecure"))
    throw new HavreError("permission-denied", "security.insecure is not allowed", {
      hint: "Who starts the build may grant it: --allow security.insecure",
    });
  const declared = new Set<string | undefined>(scope.arguments.map(([name]) => name));
  const op: ExecOp = {
    kind: "exec",
    args,
    env: scope.environment,
    passingEnv: scope.proxies.filter((proxy) => !declared.has(proxy.split("=", 1)[0])),
    workingFolder: config.WorkingDir || "/",
    user: config.User ?? "",
    network: command.network === "default" ? options.network : command.network,
    insecure: command.security === "insecure",
    mounts,
    extraHosts: options.extraHosts,
    limits: options.limits,
    ...(options.epoch === undefined ? {} : { latest: options.epoch }),
    ...foreignTo(options.buildPlatform, input.platform),
  };
  return { vertex: vertex(op, inputs, input.detail), args };
}

function foreignTo(own: Platform, { os, architecture, variant }: Platform): { readonly foreign?: string } {
  if (os === own.os && architecture === own.architecture) return {};
  return { foreign: [os, architecture, variant].filter(Boolean).join("/") };
}

function argsOf(line: RunCommand["line"], shell: readonly string[]): readonly string[] {
  switch (line.form) {
    case "exec":
      return line.arguments;
    case "shell":
      return [...shell, line.text];
    case "script":
      return [`${SCRIPT_FOLDER}/${line.name}`];
  }
}

async function mountOf(
  mount: RunMount,
  input: RunInput,
  inputs: Vertex[],
  nextAgent: () => number,
): Promise<ExecMount> {
  const target = (path: string) => posix.resolve(input.config.WorkingDir || "/", path);
  switch (mount.type) {
    case "bind": {
      const source = posix.resolve("/", mount.source);
      // Files of a client are no tree that could be mounted: what is needed of them is made one.
      const tree = mount.from === undefined ? contextFiles("") : await input.tree(mount.from);
      const number = inputs.push(tree.op.kind === "context" ? asTree(tree, source) : tree) - 1;
      return { type: "bind", input: number, source, target: target(mount.target), readOnly: mount.readOnly };
    }
    case "cache": {
      const { sharing, readOnly, mode = 0o755, uid = 0, gid = 0 } = mount;
      const seed = mount.from === undefined ? undefined : await input.tree(mount.from);
      return {
        type: "cache",
        id: mount.id ?? posix.resolve("/", mount.target),
        ...(seed ? { input: inputs.push(seed.op.kind === "context" ? asTree(seed, "/") : seed) - 1 } : {}),
        source: posix.resolve("/", mount.source),
        target: target(mount.target),
        sharing,
        readOnly,
        mode,
        uid,
        gid,
      };
    }
    case "tmpfs":
      return { ...mount, target: target(mount.target) };
    case "secret": {
      const { id, env, required, mode, uid, gid } = mount;
      const place = mount.target === undefined ? {} : { target: target(mount.target) };
      return { type: "secret", id, ...place, ...(env === undefined ? {} : { env }), required, mode, uid, gid };
    }
    case "ssh": {
      const { id, required, mode, uid, gid } = mount;
      const number = nextAgent();
      return { type: "ssh", id, target: mount.target ?? `/run/buildkit/ssh_agent.${number}`, required, mode, uid, gid };
    }
  }
}

/** A path of a source of files, as a tree that has it at the same place. */
function asTree(files: Vertex, source: string): Vertex {
  const scratch = vertex({ kind: "scratch" }, [], { name: "scratch" });
  const op = {
    kind: "copy",
    sources: [{ input: 1, path: source, unpack: false }],
    destination: "/",
    excludes: [],
    parents: source !== "/",
    ownedByRoot: true,
  } as const;
  return vertex(op, [scratch, files], { name: "[internal] preparing a mount" });
}
