import { chmodSync, chownSync, lstatSync, mkdirSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HavreError, runAll } from "../../base/mod.ts";
import type { ImageLayer } from "../../images/mod.ts";
import { mount, unmount } from "../../kernel/mod.ts";
import { type ByteName, fromBytes, packTree, toBytes } from "../../snapshots/mod.ts";
import type { RuntimeMount } from "../../spec/mod.ts";
import type { ExecMount, ExecOp } from "../graph/ops.ts";
import type { CacheFolders } from "./cache-folders.ts";
import type { OpContext } from "./context.ts";
import { FolderSource } from "./files/folder-source.ts";
import { cleanPath, joinPath, resolvePath } from "./files/paths.ts";

/** What the client of a build lends to its steps. */
export interface Lender {
  /** undefined: it has none of that id. */
  secret(id: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** A unix socket of this machine that leads to the client's agent; undefined: it has none of that id. */
  sshSocket(id: string, signal: AbortSignal): Promise<string | undefined>;
}

export interface MountInputs {
  /** Trees of the step's inputs by their number. */
  readonly trees: ReadonlyMap<number, ImageLayer | undefined>;
  readonly lender: Lender;
  readonly caches: CacheFolders;
  /** What a cache folder that is not here yet begins with, as an archive. */
  folderOf(id: string): Promise<AsyncIterable<Uint8Array> | undefined>;
}

/** Where things are while a step runs. */
interface Place {
  readonly rootfs: string;
  readonly folder: string;
}

export interface PreparedMounts extends AsyncDisposable {
  readonly mounts: readonly RuntimeMount[];
  /** Secrets that the step has as variables. */
  readonly env: readonly string[];
}

/** Makes ready what `RUN --mount` asks for; undone by disposal, mount points in the step's tree included. */
export async function prepareMounts(
  context: OpContext,
  op: ExecOp,
  inputs: MountInputs,
  place: Place,
  signal: AbortSignal,
): Promise<PreparedMounts> {
  const held = new AsyncDisposableStack();
  try {
    const preparer = new Preparer(context, inputs, place, held, signal);
    const mounts: RuntimeMount[] = [];
    const env: string[] = [];
    for (const asked of op.mounts) {
      const made = await preparer.one(asked);
      if (made.mount) mounts.push(made.mount);
      if (made.env !== undefined) env.push(made.env);
    }
    const missing = mounts.flatMap(({ destination }) => missingOn(place.rootfs, destination));
    held.defer(() => removeMountPoints(place.rootfs, missing));
    return { mounts, env, [Symbol.asyncDispose]: () => held.disposeAsync() };
  } catch (error) {
    await held.disposeAsync();
    throw error;
  }
}

interface Made {
  readonly mount?: RuntimeMount;
  readonly env?: string;
}

class Preparer {
  readonly #context: OpContext;
  readonly #inputs: MountInputs;
  readonly #place: Place;
  readonly #held: AsyncDisposableStack;
  readonly #signal: AbortSignal;
  #memory: string | undefined;
  #files = 0;

  constructor(context: OpContext, inputs: MountInputs, place: Place, held: AsyncDisposableStack, signal: AbortSignal) {
    this.#context = context;
    this.#inputs = inputs;
    this.#place = place;
    this.#held = held;
    this.#signal = signal;
  }

  async one(asked: ExecMount): Promise<Made> {
    switch (asked.type) {
      case "bind":
        return { mount: bind(await this.#fromTree(asked.input, asked.source), asked.target, asked.readOnly) };
      case "cache":
        return { mount: bind(await this.#cache(asked), asked.target, asked.readOnly) };
      case "tmpfs": {
        const size = asked.size === undefined ? [] : [`size=${asked.size}`];
        const options = ["nosuid", "nodev", "noexec", ...size];
        return { mount: { destination: asked.target, type: "tmpfs", source: "tmpfs", options } };
      }
      case "secret":
        return this.#secret(asked);
      case "ssh": {
        const socket = await this.#inputs.lender.sshSocket(asked.id, this.#signal);
        if (socket !== undefined) {
          chownSync(socket, asked.uid, asked.gid);
          chmodSync(socket, asked.mode);
          return { mount: bind(socket, asked.target, false), env: `SSH_AUTH_SOCK=${asked.target}` };
        }
        if (!asked.required) return {};
        throw new HavreError("failed-precondition", `unset ssh forward key ${asked.id}`, {
          hint: `Give the build an agent: --ssh ${asked.id}`,
        });
      }
    }
  }

  /** A path of another tree. What the step writes to it goes with the step. */
  async #fromTree(input: number, source: string): Promise<string> {
    const { snapshots, newId } = this.#context;
    const key = `build-${newId()}`;
    await snapshots.prepare(key, this.#inputs.trees.get(input)?.chainId);
    this.#held.defer(() => snapshots.remove(key));
    const root = await snapshots.mount(key);
    this.#held.defer(() => snapshots.unmount(key));
    return placeIn(root, source);
  }

  async #cache(asked: Extract<ExecMount, { type: "cache" }>): Promise<string> {
    const seed = asked.input === undefined ? undefined : await this.#fromTree(asked.input, asked.source);
    const begins = async () =>
      (await this.#inputs.folderOf(asked.id)) ??
      (seed === undefined ? undefined : packTree(folderAt(seed), "/.", this.#signal));
    const lease = await this.#inputs.caches.take(asked, begins, this.#signal);
    this.#held.use(lease);
    return seed === undefined && asked.source !== "/" ? placeIn(lease.path, asked.source) : lease.path;
  }

  async #secret(asked: Extract<ExecMount, { type: "secret" }>): Promise<Made> {
    const value = await this.#inputs.lender.secret(asked.id, this.#signal);
    if (value === undefined) {
      if (!asked.required) return {};
      throw new HavreError("failed-precondition", `secret ${asked.id}: not found`, {
        hint: `Give it to the build: --secret id=${asked.id},src=FILE`,
      });
    }
    const env = asked.env === undefined ? {} : { env: `${asked.env}=${Buffer.from(value).toString()}` };
    if (asked.target === undefined) return env;
    const file = join(this.#privateMemory(), String(this.#files++));
    writeFileSync(file, value, { mode: 0o400 });
    chownSync(file, asked.uid, asked.gid);
    chmodSync(file, asked.mode);
    return { ...env, mount: bind(file, asked.target, true) };
  }

  /** What must never be on a disk. */
  #privateMemory(): string {
    if (this.#memory !== undefined) return this.#memory;
    const folder = join(this.#place.folder, "private");
    mkdirSync(folder, { mode: 0o700 });
    mount({ type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "noexec", "mode=0700"] }, folder);
    this.#held.defer(() => void unmount(folder, { detach: true }));
    this.#memory = folder;
    return folder;
  }
}

function bind(source: string, destination: string, readOnly: boolean): RuntimeMount {
  return { destination, type: "bind", source, options: ["rbind", "rprivate", readOnly ? "ro" : "rw"] };
}

function folderAt(path: string): string {
  if (lstatSync(path).isDirectory()) return path;
  throw new HavreError("invalid-argument", "A cache begins as a folder, not as a file");
}

/** Where a path of a tree is on this machine, links followed inside the tree. `not-found`. */
function placeIn(root: string, path: string): string {
  using tree = new FolderSource(root);
  const found = resolvePath(tree, fromBytes(Buffer.from(path)));
  if (!tree.stat(found)) throw new HavreError("not-found", `failed to calculate checksum: "${path}": not found`);
  return join(root, Buffer.from(toBytes(found)).toString());
}

/** The parts of a mount's target that are not in the tree yet, the deepest first. */
function missingOn(rootfs: string, target: string): readonly ByteName[] {
  using tree = new FolderSource(rootfs);
  const missing: ByteName[] = [];
  let at: ByteName = "";
  for (const part of cleanPath(fromBytes(Buffer.from(target))).split("/")) {
    at = resolvePath(tree, joinPath(at, part));
    if (!tree.stat(at)) missing.unshift(at);
  }
  return missing;
}

/** What the runtime made only to mount onto is no part of the step's result, unless the step put something there. */
async function removeMountPoints(rootfs: string, paths: readonly ByteName[]): Promise<void> {
  await runAll(
    paths.map((path) => () => {
      // The step may have put a link there, or on the way, that leads out of its tree.
      const parts = path.split("/");
      const inside = (length: number) =>
        Buffer.concat([Buffer.from(`${rootfs}/`), toBytes(parts.slice(0, length).join("/"))]);
      const statOf = (length: number) => lstatSync(inside(length), { throwIfNoEntry: false });
      if (parts.some((_, above) => above > 0 && statOf(above)?.isDirectory() !== true)) return;
      const place = inside(parts.length);
      const stat = statOf(parts.length);
      try {
        if (stat?.isDirectory()) rmdirSync(place);
        else if (stat?.isFile() && stat.size === 0) unlinkSync(place);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
      }
    }),
  );
}
