import { posix } from "node:path";
import { HavreError, parseDigest } from "../../base/mod.ts";
import type { AddCommand, CopyCommand } from "../dockerfile/mod.ts";
import { contextFiles } from "./context-vertex.ts";
import { isGitAddress, parseGitAddress } from "./git-address.ts";
import type { CopyOp, CopySource } from "./ops.ts";
import { type Vertex, type VertexDetail, vertex } from "./vertex.ts";

export interface TransferInput {
  /** With its variables put in. */
  readonly command: AddCommand | CopyCommand;
  /** The tree that is copied into. */
  readonly onto: Vertex;
  readonly workingFolder: string;
  tree(from: string): Promise<Vertex>;
  readonly latest: Pick<CopyOp, "latest">;
  readonly detail: VertexDetail;
}

/** `COPY` or `ADD` as a vertex, and how the history tells of it. */
export async function transferVertex(
  input: TransferInput,
): Promise<{ readonly vertex: Vertex; readonly shown: string }> {
  const { command, onto, detail } = input;
  const destination = destinationOf(command.destination, input.workingFolder);
  const inputs: Vertex[] = [];
  const sources: CopySource[] = [];
  const add = (tree: Vertex, path: string, unpack: boolean) => {
    const known = inputs.findIndex((other) => other.digest === tree.digest);
    const number = known >= 0 ? known + 1 : inputs.push(tree);
    sources.push({ input: number, path, unpack });
  };
  const words = command.sources;
  const from = command.kind === "copy" && command.from !== undefined ? await input.tree(command.from) : undefined;
  for (const word of words) {
    if (command.kind === "add" && isGitAddress(word)) add(gitVertex(word, command, detail), "/", false);
    else if (command.kind === "add" && /^https?:\/\//i.test(word)) {
      const name = nameOfUrl(word, destination);
      add(httpVertex(word, name, command, detail), `/${name}`, command.unpack ?? false);
    } else add(from ?? contextFiles(""), word, command.kind === "add" && (command.unpack ?? true));
  }
  for (const { name, content } of command.files) {
    const op = { kind: "inline", files: [{ path: name, content, mode: 0o644 }] } as const;
    add(vertex(op, [], { name: "[internal] preparing inline document" }), name, false);
  }
  const { chown: owner, chmod: mode } = command;
  const op: CopyOp = {
    kind: "copy",
    sources,
    destination,
    ...(owner === undefined || owner === "" ? {} : { owner }),
    ...(mode === undefined || mode === "" ? {} : { mode }),
    excludes: command.excludes,
    parents: command.kind === "copy" && command.parents,
    ownedByRoot: from === undefined || from.op.kind === "context",
    ...input.latest,
  };
  const shown = shownText(command, words, command.destination, { owner, mode });
  if (!command.link) return { vertex: vertex(op, [onto, ...inputs], detail), shown };
  // Copied beside the tree: so it stays as it is when what it is laid upon changes.
  const scratch = vertex({ kind: "scratch" }, [], { name: "scratch" });
  const copied = vertex(op, [scratch, ...inputs], detail);
  return { vertex: vertex({ kind: "merge" }, [onto, copied], { name: `${detail.name} (link)` }), shown };
}

/** Absolute, with a slash at its end where it says that it is a folder. */
function destinationOf(text: string, workingFolder: string): string {
  const isFolder = text === "" || /(^|\/)\.{0,2}$/.test(text);
  const path = posix.resolve(workingFolder, text);
  return isFolder && path !== "/" ? `${path}/` : path;
}

function shownText(
  command: AddCommand | CopyCommand,
  words: readonly string[],
  destination: string,
  { owner, mode }: { readonly owner: string | undefined; readonly mode: string | undefined },
): string {
  const flags = [
    ...(owner === undefined ? [] : [`--chown=${owner}`]),
    ...(mode === undefined ? [] : [`--chmod=${mode}`]),
  ];
  return [...flags, ...words, ...command.files.map(({ name }) => `<<${name}`), destination].join(" ");
}

function gitVertex(address: string, command: AddCommand, detail: VertexDetail): Vertex {
  const { remote, ref, folder } = parseGitAddress(address);
  const op = {
    kind: "git",
    remote,
    ...(ref === undefined ? {} : { ref }),
    ...(folder === undefined ? {} : { folder }),
    keepGitDir: command.keepGitDir ?? false,
    ...(command.checksum === undefined ? {} : { checksum: command.checksum }),
  } as const;
  return vertex(op, [], { name: address, ...(detail.lines ? { lines: detail.lines } : {}) });
}

function httpVertex(url: string, name: string, command: AddCommand, detail: VertexDetail): Vertex {
  const checksum = command.checksum === undefined ? {} : { checksum: parseDigest(command.checksum) };
  return vertex({ kind: "http", url, name, ...checksum }, [], {
    name: url,
    ...(detail.lines ? { lines: detail.lines } : {}),
    ...(detail.ignoreCache === undefined ? {} : { ignoreCache: detail.ignoreCache }),
  });
}

/** The name a download gets when it goes into a folder. `invalid-argument` when its address names none then. */
export function nameOfUrl(url: string, destination: string): string {
  const name = posix.basename(new URL(url).pathname);
  if (name !== "" && name !== "/") return name;
  if (!destination.endsWith("/")) return "download";
  throw new HavreError("invalid-argument", `cannot determine filename for source ${url}`);
}
