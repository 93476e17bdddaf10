import { HavreError } from "../../base/mod.ts";
import { fromBytes } from "../../snapshots/mod.ts";
import { type Platform, readIgnoreFile } from "../../spec/mod.ts";
import type { Builder, BuildResult } from "../builder.ts";
import type { FetchImage } from "../classic/classic-builds.ts";
import type { SourceFile } from "../dockerfile/mod.ts";
import type { TarSource } from "../ops/files/tar-source.ts";
import { type FileRequest, receiveFolder } from "./file-sync.ts";
import type { FrontendRequest } from "./frontend-options.ts";
import { fullName } from "./full-name.ts";
import { SessionLender } from "./lender.ts";
import type { Progress, Task } from "./progress.ts";
import type { Session } from "./session.ts";

export interface BuildTools {
  readonly builder: Builder;
  readonly fetch: FetchImage;
  readonly platform: Platform;
  readonly newId: () => string;
  /** For sockets; short. */
  readonly run: string;
}

export interface BuildInput {
  readonly request: FrontendRequest;
  readonly session: Session;
  readonly progress: Progress;
  /** What to call the image. */
  readonly names: readonly string[];
  readonly signal: AbortSignal;
  /** Told as soon as it is read: complaints are shown with its lines. */
  readonly onDockerfile: (file: SourceFile) => void;
}

const DOCKERFILE_LIMIT = 16 * 1024 * 1024;

/** Builds what a client asks for, with the files of its session. */
export async function runBuild(tools: BuildTools, input: BuildInput): Promise<BuildResult> {
  const { request, session, progress, names } = input;
  const signal = AbortSignal.any([input.signal, session.signal]);
  if (request.remoteContext !== undefined) {
    throw new HavreError("not-implemented", `The context ${request.remoteContext} is not a folder of the client`);
  }
  await using held = new AsyncDisposableStack();
  const lender = held.use(new SessionLender(session, tools.run, tools.newId));
  const receive = async (what: string, request: FileRequest, task: Task) => {
    let bytes = 0;
    const tell = (done: boolean) => task.progress(`transferring ${what}:`, bytes, 0, done);
    const tar = receiveFolder(session, request, signal, (total) => {
      bytes = total;
      tell(false);
    });
    const files = await tools.builder.receive(tar, signal);
    tell(true);
    return held.use(files);
  };

  const { filename } = request;
  const definition = await progress.task(`[internal] load build definition from ${filename}`, (task) =>
    receive("dockerfile", { folder: request.dockerfileFolder, follow: dockerfilePaths(filename) }, task),
  );
  const { file, place } = findDockerfile(definition, filename);
  input.onDockerfile(file);

  /** The patterns beside the Dockerfile, or those of the context itself. */
  const excludes = async (folder: string, beside: boolean) => {
    const own = beside ? readText(definition, `${place}.dockerignore`) : undefined;
    if (own !== undefined) return readIgnoreFile(own);
    const files = await progress.task("[internal] load .dockerignore", (task) =>
      receive("context", { folder, follow: [".dockerignore"] }, task),
    );
    return readIgnoreFile(readText(files, ".dockerignore") ?? "");
  };
  const context = async (name: string) => {
    const named = request.contexts.get(name);
    const folder = named?.kind === "local" ? named.folder : request.contextFolder;
    const patterns = await excludes(folder, named === undefined);
    return receive("context", { folder, excludes: patterns }, progress.contextTask(name));
  };
  const known = new Map<string, ReturnType<FetchImage>>();
  const findImage = (name: string, platform: Platform) => {
    const named = request.contexts.get(name.toLowerCase());
    const reference = named?.kind === "image" ? named.reference : name;
    const image =
      known.get(reference) ??
      progress.task(`[internal] load metadata for ${fullName(reference)}`, async () => {
        const found = await tools.fetch(reference, platform, request.pull, signal);
        return { ...found, name: fullName(reference) };
      });
    known.set(reference, image);
    return image;
  };

  const folders = [...request.contexts].filter(([, { kind }]) => kind === "local").map(([name]) => name);
  return await tools.builder.build(
    {
      dockerfile: file,
      options: { ...request.options, namedContexts: folders, history: "buildkit" },
      supplies: { context, lender },
      findImage,
      names,
      keepSteps: false,
      ...(request.epoch === undefined ? {} : { epoch: request.epoch }),
    },
    { planned: () => {}, event: (event) => progress.event(event) },
    signal,
  );
}

function dockerfilePaths(filename: string): readonly string[] {
  return [filename, `${filename}.dockerignore`, ...(filename === "Dockerfile" ? ["dockerfile"] : [])];
}

function findDockerfile(files: TarSource, filename: string): { readonly file: SourceFile; readonly place: string } {
  for (const place of [filename, ...(filename === "Dockerfile" ? ["dockerfile"] : [])]) {
    const text = readText(files, place);
    if (text === undefined) continue;
    if (text.trim() === "") throw new HavreError("invalid-argument", "the Dockerfile cannot be empty");
    return { file: { name: filename, text }, place };
  }
  throw new HavreError("not-found", `failed to read dockerfile: open ${filename}: no such file or directory`);
}

function readText(files: TarSource, path: string): string | undefined {
  const clean = path.replace(/^\.?\/+/, "");
  const file = files.stat(fromBytes(Buffer.from(clean)));
  if (file?.type !== "file") return undefined;
  if (file.size > DOCKERFILE_LIMIT) throw new HavreError("invalid-argument", `${path} is too large`);
  return Buffer.concat([...files.read(file)]).toString();
}
