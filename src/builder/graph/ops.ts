import type { Digest } from "../../base/mod.ts";

/**
 * What a vertex does, as a plain value. Results are trees: layers of an image (`image`, `scratch`, and whatever changes
 * those), or files that are only read from (`context`, `inline`, `git`, `http`).
 */
export type Op = ImageOp | ScratchOp | ContextOp | InlineOp | GitOp | HttpOp | ExecOp | CopyOp | MakeFolderOp | MergeOp;

/** An image of this machine. */
export interface ImageOp {
  readonly kind: "image";
  readonly id: Digest;
}

/** Nothing. */
export interface ScratchOp {
  readonly kind: "scratch";
}

/** Files that the client of the build gave. */
export interface ContextOp {
  readonly kind: "context";
  readonly name: string;
}

/** Here-documents. */
export interface InlineOp {
  readonly kind: "inline";
  readonly files: readonly { readonly path: string; readonly content: string; readonly mode: number }[];
}

export interface GitOp {
  readonly kind: "git";
  /** Without the fragment. */
  readonly remote: string;
  /** Branch, tag or commit; undefined: the default branch. */
  readonly ref?: string;
  readonly folder?: string;
  readonly keepGitDir: boolean;
  /** The commit it has to be, or the beginning of it. */
  readonly checksum?: string;
}

export interface HttpOp {
  readonly kind: "http";
  readonly url: string;
  /** What it is called in the source. */
  readonly name: string;
  readonly checksum?: Digest;
}

/** Who owns what is copied, by name or number: `user[:group]`. Names are looked up in the tree it is copied to. */
export type Owner = string;

/** Runs a process in the tree of the first input. */
export interface ExecOp {
  readonly kind: "exec";
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Variables that are no part of the cache key: proxies. */
  readonly passingEnv: readonly string[];
  readonly workingFolder: string;
  readonly user: string;
  /** `none`, `host`, or a network's name. */
  readonly network: string;
  /** Without confinement (`--security=insecure`). */
  readonly insecure: boolean;
  readonly mounts: readonly ExecMount[];
  /** `name:address`. */
  readonly extraHosts: readonly string[];
  readonly limits: ExecLimits;
  /** Nothing it makes is to be younger, milliseconds since the epoch (`SOURCE_DATE_EPOCH`). */
  readonly latest?: number;
  /** The platform that its programs are for, where that is another than this machine's. */
  readonly foreign?: string;
}

/** What a step may use. Changes nothing about its result, so no part of the cache key, but for the shared memory's size and ulimits. */
export interface ExecLimits {
  /** Bytes; 0: the default. */
  readonly shmSize: number;
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly memory: number;
  readonly memorySwap: number;
  readonly cpuShares: number;
  readonly cpuPeriod: number;
  readonly cpuQuota: number;
  readonly cpusetCpus: string;
  readonly cpusetMems: string;
  readonly cgroupParent: string;
}

export const NO_LIMITS: ExecLimits = {
  shmSize: 0,
  ulimits: [],
  memory: 0,
  memorySwap: 0,
  cpuShares: 0,
  cpuPeriod: 0,
  cpuQuota: 0,
  cpusetCpus: "",
  cpusetMems: "",
  cgroupParent: "",
};

export type ExecMount =
  /** Of the tree of input number `input`. What is written to it is dropped. */
  | {
      readonly type: "bind";
      readonly input: number;
      readonly source: string;
      readonly target: string;
      readonly readOnly: boolean;
    }
  | {
      readonly type: "cache";
      readonly id: string;
      /** What an empty cache begins with. */
      readonly input?: number;
      readonly source: string;
      readonly target: string;
      readonly sharing: "shared" | "private" | "locked";
      readonly readOnly: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly type: "tmpfs"; readonly target: string; readonly size?: number }
  | {
      readonly type: "secret";
      readonly id: string;
      readonly target?: string;
      readonly env?: string;
      readonly required: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | {
      readonly type: "ssh";
      readonly id: string;
      readonly target: string;
      readonly required: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

/** Copies files of other inputs into the tree of the first. */
export interface CopyOp {
  readonly kind: "copy";
  readonly sources: readonly CopySource[];
  /** Absolute; a slash at its end says that it is a folder. */
  readonly destination: string;
  readonly owner?: Owner;
  /** Octal or symbolic. */
  readonly mode?: string;
  readonly excludes: readonly string[];
  /** Keep the folders that lead to a source (`--parents`). */
  readonly parents: boolean;
  /** Everything belongs to root, whatever the source says (files of a client). */
  readonly ownedByRoot: boolean;
  /** Nothing it makes is to be younger, milliseconds since the epoch (`SOURCE_DATE_EPOCH`). */
  readonly latest?: number;
}

export interface CopySource {
  /** Number of the input. */
  readonly input: number;
  /** Path or pattern in it. */
  readonly path: string;
  /** An archive is put there as what is in it. */
  readonly unpack: boolean;
}

/** Makes a folder with its parents where there is none (`WORKDIR`). */
export interface MakeFolderOp {
  readonly kind: "make-folder";
  readonly path: string;
  readonly owner?: Owner;
  /** Nothing it makes is to be younger, milliseconds since the epoch (`SOURCE_DATE_EPOCH`). */
  readonly latest?: number;
}

/** The layers of the second input on top of the first (`--link`). */
export interface MergeOp {
  readonly kind: "merge";
}
