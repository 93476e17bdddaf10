import type { IdMap } from "../../identities/mod.ts";
import type { Sandbox } from "../../networks/mod.ts";
import type { RuntimeSpec } from "../../spec/mod.ts";
import type { ContainerSpec } from "../container.ts";
import type { HostFacts } from "../host-facts.ts";

/** Everything a container's runtime specification is made from. */
export interface SpecInput {
  readonly id: string;
  /** With the image's configuration merged in and every default filled: what create stored. */
  readonly spec: ContainerSpec;
  /** Folder of the mounted root file system. */
  readonly rootfs: string;
  readonly sandbox: Sandbox;
  /** The container's own user namespace, which owns its network's; absent: the host's. */
  readonly userNamespace?: {
    readonly path: string;
    readonly ids: IdMap;
    /** Ids of the host. */
    readonly root: { readonly uid: number; readonly gid: number };
  };
  /** Files bound over the image's own; one left out is not bound. */
  readonly files: { readonly hosts?: string; readonly hostname?: string; readonly resolvConf?: string };
  /** Init processes of the containers named by `container:` modes; their network is the sandbox's business. */
  readonly shared: { readonly pid?: number; readonly ipc?: number };
  /** Variables that links to other containers bring; the container's own go over them. */
  readonly linkedEnvironment?: readonly string[];
  /** Folder with the shared memory file system of a shareable, joined or host IPC mode; undefined: its own. */
  readonly shmFolder?: string;
  /** Init program to bind when the container asks for one (catatonit, tini). */
  readonly initPath?: string;
  /** Cgroup below which containers live unless they name a parent. */
  readonly cgroupParent: string;
  readonly host: HostFacts;
}

export interface BuiltSpec {
  readonly spec: RuntimeSpec;
  /** What was asked and could not be done on this host, a sentence each. */
  readonly warnings: readonly string[];
}

/** Collects warnings while the parts of a specification are built. */
export type Warn = (message: string) => void;
