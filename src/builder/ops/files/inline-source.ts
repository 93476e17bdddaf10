import { type Digest, digestOf } from "../../../base/mod.ts";
import { type ByteName, fromBytes } from "../../../snapshots/mod.ts";
import type { InlineOp } from "../../graph/ops.ts";
import type { FileSource, SourceFile } from "./source.ts";

/** Files given as text, all in one folder. */
export class InlineSource implements FileSource {
  readonly #files: ReadonlyMap<ByteName, { readonly file: SourceFile; readonly content: Uint8Array }>;

  constructor({ files }: InlineOp, mtime: bigint) {
    this.#files = new Map(
      files.map(({ path, content, mode }) => {
        const name = fromBytes(Buffer.from(path));
        const bytes = Buffer.from(content);
        const file = { ...plain(name, mtime), type: "file", mode, size: bytes.length } as const;
        return [name, { file, content: bytes }];
      }),
    );
  }

  stat(path: ByteName): SourceFile | undefined {
    if (path === "") return { ...plain("", 0n), type: "directory", mode: 0o755, size: 0 };
    return this.#files.get(path)?.file;
  }

  list(path: ByteName): readonly ByteName[] {
    return path === "" ? [...this.#files.keys()].sort() : [];
  }

  digest(file: SourceFile): Digest {
    return digestOf(this.#content(file));
  }

  read(file: SourceFile): Iterable<Uint8Array> {
    return [this.#content(file)];
  }

  #content(file: SourceFile): Uint8Array {
    return this.#files.get(file.path)?.content ?? new Uint8Array();
  }
}

function plain(path: ByteName, mtime: bigint) {
  return {
    path,
    uid: 0,
    gid: 0,
    mtime,
    linkTarget: "",
    devMajor: 0,
    devMinor: 0,
    xattrs: new Map<string, Uint8Array>(),
    identity: undefined,
  };
}
