import { fromBinary } from "@bufbuild/protobuf";
import { digestHex, digestOf, HavreError, isHavreError } from "../../base/mod.ts";
import { fromBytes } from "../../snapshots/mod.ts";
import { readIgnoreFile } from "../../spec/mod.ts";
import type { Builder } from "../builder.ts";
import type { SourceFile } from "../dockerfile/mod.ts";
import type { FileSource } from "../ops/files/source.ts";
import { type FileRequest, FolderTransfer } from "./file-sync.ts";
import type { FrontendRequest } from "./frontend-options.ts";
import type { Progress, Task } from "./progress.ts";
import type { Session } from "./session.ts";
import { BytesMessageSchema } from "./wire/session.ts";

const PULL = "/moby.upload.v1.Upload/Pull";
/** The host of addresses that mean a stream of the client itself. */
const UPLOAD_HOST = "buildkit-session";
/** Bytes of files up to which keeping them takes as long as sending them. */
const WORTH_COMPARING = 512 * 1024;
const DOCKERFILE_LIMIT = 16 * 1024 * 1024;

/** What a build starts from. */
export interface Definition {
  readonly file: SourceFile;
  /** The vertex it came with: what is said about it is said there. */
  readonly vertex: string;
  /** Patterns of the `.dockerignore` beside it, which wins over that of the context. */
  readonly ignore: readonly string[] | undefined;
}

/** The files that a build takes from its client. To be disposed when the build is over. */
export class ClientFiles implements AsyncDisposable {
  readonly #builder: Builder;
  readonly #session: Session;
  readonly #request: FrontendRequest;
  readonly #progress: Progress;
  readonly #signal: AbortSignal;
  readonly #held = new AsyncDisposableStack();
  readonly #contexts = new Map<string, Promise<FileSource>>();
  #remote: Promise<FileSource> | undefined;
  #ignore: readonly string[] | undefined;

  constructor(builder: Builder, session: Session, request: FrontendRequest, progress: Progress, signal: AbortSignal) {
    this.#builder = builder;
    this.#session = session;
    this.#request = request;
    this.#progress = progress;
    this.#signal = signal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held.disposeAsync();
  }

  /** The Dockerfile. `not-found`, `invalid-argument` when it is empty. */
  async definition(): Promise<Definition> {
    const { filename, dockerfileFolder: folder } = this.#request;
    let vertex = "";
    const files = await this.#progress.task(`[internal] load build definition from ${filename}`, (task) => {
      vertex = task.vertex;
      if (this.#request.remoteContext !== undefined) return this.#remoteFiles(task);
      return this.#folder("dockerfile", { folder, follow: dockerfilePaths(filename) }, task);
    });
    const { file, place } = findDockerfile(files, filename);
    const own = readText(files, `${place}.dockerignore`);
    this.#ignore = own === undefined ? undefined : readIgnoreFile(own);
    return { file, vertex, ignore: this.#ignore };
  }

  /** The build context, or one that has a name. It comes once, however often it is asked for. */
  context(name: string): Promise<FileSource> {
    const files = this.#contexts.get(name) ?? this.#receive(name);
    this.#contexts.set(name, files);
    return files;
  }

  async #receive(name: string): Promise<FileSource> {
    const named = this.#request.contexts.get(name);
    if (name === "" && this.#request.remoteContext !== undefined)
      return this.#remoteFiles(this.#progress.contextTask(name));
    const folder = named?.kind === "local" ? named.folder : this.#request.contextFolder;
    const excludes = (name === "" ? this.#ignore : undefined) ?? (await this.#ignoreOf(folder));
    return this.#folder("context", { folder, excludes }, this.#progress.contextTask(name));
  }

  async #ignoreOf(folder: string): Promise<readonly string[]> {
    const files = await this.#progress.task("[internal] load .dockerignore", (task) =>
      this.#folder("context", { folder, follow: [".dockerignore"] }, task),
    );
    return readIgnoreFile(readText(files, ".dockerignore") ?? "");
  }

  async #folder(what: string, request: FileRequest, task: Task): Promise<FileSource> {
    let bytes = 0;
    const tell = (done: boolean) => task.progress(`transferring ${what}:`, bytes, 0, done);
    await using transfer = await FolderTransfer.open(this.#session, request, this.#signal);
    const files = await this.#transferred(transfer, request, (total) => {
      bytes = total;
      tell(false);
    });
    tell(true);
    return this.#held.use(files);
  }

  /** Only what changed comes, where the client says what its folder is known by. */
  async #transferred(transfer: FolderTransfer, { folder, follow }: FileRequest, onBytes: (total: number) => void) {
    const { sharedKey } = this.#session;
    const files = transfer.files();
    const size = files.reduce((sum, [, bytes]) => sum + bytes, 0);
    if (sharedKey !== "" && follow === undefined && size >= WORTH_COMPARING) {
      const { kept } = this.#builder;
      const key = digestHex(digestOf(JSON.stringify(["buildkit", sharedKey, folder])));
      const { id, same } = kept.compare(key, files);
      const here = new Set(same.flatMap((index) => files[index]?.[0] ?? []));
      try {
        return await kept.receive(id, transfer.archive(here, onBytes), this.#signal);
      } catch (error) {
        // Another build of the same folder began anew: nothing was asked for yet.
        if (!isHavreError(error, "conflict")) throw error;
      }
    }
    return this.#builder.receive(transfer.archive(undefined, onBytes), this.#signal);
  }

  /** A context that is no folder: an archive that the client streams, which can be read only once, or an address. */
  #remoteFiles(task: Task): Promise<FileSource> {
    this.#remote ??= this.#fetch(this.#request.remoteContext ?? "", task);
    return this.#remote;
  }

  async #fetch(address: string, task: Task): Promise<FileSource> {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url?.hostname !== UPLOAD_HOST) return this.#held.use(await this.#builder.fetch(address, this.#signal)).files;
    const tell = (total: number) => task.progress("transferring context:", total, 0, false);
    return this.#held.use(await this.#builder.receive(this.#pull(url), this.#signal, tell));
  }

  async *#pull({ hostname, pathname }: URL): AsyncGenerator<Uint8Array> {
    const metadata = { urlpath: pathname, urlhost: hostname };
    await using call = this.#session.rpc.call(PULL, metadata, this.#signal);
    // Who answers before it has read our end resets the stream, and what was on its way is lost.
    call.end();
    for await (const message of call.messages) yield fromBinary(BytesMessageSchema, message).data;
  }
}

function dockerfilePaths(filename: string): readonly string[] {
  return [filename, `${filename}.dockerignore`, ...(filename === "Dockerfile" ? ["dockerfile"] : [])];
}

function findDockerfile(files: FileSource, filename: string): { readonly file: SourceFile; readonly place: string } {
  for (const place of [filename, ...(filename === "Dockerfile" ? ["dockerfile"] : [])]) {
    const text = readText(files, place);
    if (text === undefined) continue;
    if (text.trim() === "") throw new HavreError("invalid-argument", "the Dockerfile cannot be empty");
    return { file: { name: filename, text }, place };
  }
  throw new HavreError("not-found", `failed to read dockerfile: open ${filename}: no such file or directory`);
}

function readText(files: FileSource, path: string): string | undefined {
  const clean = path.replace(/^\.?\/+/, "");
  const file = files.stat(fromBytes(Buffer.from(clean)));
  if (file?.type !== "file") return undefined;
  if (file.size > DOCKERFILE_LIMIT) throw new HavreError("invalid-argument", `${path} is too large`);
  return Buffer.concat([...files.read(file)]).toString();
}
