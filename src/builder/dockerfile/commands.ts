import type { Healthcheck } from "../../spec/mod.ts";
import type { SourceFile, SourceRange } from "./source.ts";
import type { Directives, Instruction } from "./tree.ts";

/** A Dockerfile read in full: what stands before the first `FROM`, and the stages. Nothing is expanded. */
export interface Dockerfile {
  readonly file: SourceFile;
  readonly directives: Directives;
  /** `ARG` before the first `FROM`. */
  readonly globalArgs: readonly ArgCommand[];
  /** At least one. */
  readonly stages: readonly Stage[];
  /** Where blank lines stand between the lines of one instruction. */
  readonly emptyContinuations: readonly SourceRange[];
}

/** `FROM` and the commands up to the next one. */
export interface Stage {
  /** Its place in the file, from 0; `COPY --from=0` means it. */
  readonly index: number;
  /** In lower case: stage names have no case. */
  readonly name?: string;
  /** An earlier stage, `scratch`, or an image; may hold variables. */
  readonly base: string;
  /** `--platform`; may hold variables. */
  readonly platform?: string;
  /** From the comment `# NAME …` above. */
  readonly description?: string;
  readonly commands: readonly Command[];
  readonly source: Instruction;
}

/** A command line in either form. */
export type CommandLine =
  | { readonly form: "exec"; readonly arguments: readonly string[] }
  /** Goes to the stage's shell as one argument; here-documents are part of it. */
  | { readonly form: "shell"; readonly text: string };

/** What `RUN` runs. */
export type RunLine =
  | CommandLine
  /** `RUN <<NAME` with `#!`: the content becomes the file `/dev/pipes/NAME` and is run itself. */
  | { readonly form: "script"; readonly name: string; readonly content: string };

/** `NAME=value`, or `NAME value` as it was written long ago. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  /** Written with a space, not with `=`. */
  readonly legacy: boolean;
}

/** A here-document as a source of `COPY` and `ADD`. */
export interface InlineFile {
  readonly name: string;
  readonly content: string;
  /** Variables in `content` are to be put in. */
  readonly expand: boolean;
}

interface Base {
  /** Where it stands. A command of an `ONBUILD` trigger from an image stands in a text of its own. */
  readonly source: Instruction;
}

/** What `COPY` and `ADD` share. */
interface Transfer extends Base {
  /** Paths, patterns, for `ADD` also addresses. */
  readonly sources: readonly string[];
  readonly files: readonly InlineFile[];
  /** A trailing slash says it is a folder. */
  readonly destination: string;
  /** `user[:group]`, names or numbers. */
  readonly chown?: string;
  /** Octal, or symbolic (`u=rwX,go=rX`). */
  readonly chmod?: string;
  readonly link: boolean;
  readonly excludes: readonly string[];
}

export interface AddCommand extends Transfer {
  readonly kind: "add";
  readonly checksum?: string;
  /** Unset: off for `ADD` of a git address. */
  readonly keepGitDir?: boolean;
  /** Unset: local archives are unpacked, downloads are not. */
  readonly unpack?: boolean;
}

export interface CopyCommand extends Transfer {
  readonly kind: "copy";
  /** A stage's name or index, a named context, or an image; never holds variables but the global arguments'. */
  readonly from?: string;
  readonly parents: boolean;
}

export interface ArgCommand extends Base {
  readonly kind: "arg";
  readonly args: readonly ArgDefinition[];
}

export interface ArgDefinition {
  readonly key: string;
  readonly value?: string;
  readonly description?: string;
}

export interface CmdCommand extends Base {
  readonly kind: "cmd";
  readonly line: CommandLine;
}

export interface EntrypointCommand extends Base {
  readonly kind: "entrypoint";
  readonly line: CommandLine;
}

export interface EnvCommand extends Base {
  readonly kind: "env";
  readonly pairs: readonly KeyValue[];
}

export interface ExposeCommand extends Base {
  readonly kind: "expose";
  /** `80`, `53/udp`, `8000-8010`; one word may become several when expanded. */
  readonly ports: readonly string[];
}

export interface HealthcheckCommand extends Base {
  readonly kind: "healthcheck";
  readonly healthcheck: Healthcheck;
}

export interface LabelCommand extends Base {
  readonly kind: "label";
  readonly pairs: readonly KeyValue[];
}

export interface MaintainerCommand extends Base {
  readonly kind: "maintainer";
  readonly maintainer: string;
}

export interface OnbuildCommand extends Base {
  readonly kind: "onbuild";
  /** The instruction it carries, as an image keeps it. */
  readonly trigger: string;
}

export interface RunCommand extends Base {
  readonly kind: "run";
  readonly line: RunLine;
  /** Only `from` is sure before variables are put in. */
  readonly mounts: readonly RunMount[];
  readonly network: "default" | "none" | "host";
  readonly security: "sandbox" | "insecure";
}

export interface ShellCommand extends Base {
  readonly kind: "shell";
  readonly shell: readonly string[];
}

export interface StopSignalCommand extends Base {
  readonly kind: "stopsignal";
  readonly signal: string;
}

export interface UserCommand extends Base {
  readonly kind: "user";
  readonly user: string;
}

export interface VolumeCommand extends Base {
  readonly kind: "volume";
  readonly paths: readonly string[];
}

export interface WorkdirCommand extends Base {
  readonly kind: "workdir";
  readonly path: string;
}

export type Command =
  | AddCommand
  | ArgCommand
  | CmdCommand
  | CopyCommand
  | EntrypointCommand
  | EnvCommand
  | ExposeCommand
  | HealthcheckCommand
  | LabelCommand
  | MaintainerCommand
  | OnbuildCommand
  | RunCommand
  | ShellCommand
  | StopSignalCommand
  | UserCommand
  | VolumeCommand
  | WorkdirCommand;

/** `RUN --mount=…`. Paths may be relative to the working directory; `from` is a stage, a named context or an image. */
export type RunMount = BindMount | CacheMount | TmpfsMount | SecretMount | SshMount;

export interface BindMount {
  readonly type: "bind";
  /** Unset: the build context. */
  readonly from?: string;
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface CacheMount {
  readonly type: "cache";
  /** Unset: the target's path. */
  readonly id?: string;
  /** Where the content of an empty cache comes from. */
  readonly from?: string;
  readonly source: string;
  readonly target: string;
  readonly sharing: "shared" | "private" | "locked";
  readonly readOnly: boolean;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface TmpfsMount {
  readonly type: "tmpfs";
  readonly target: string;
  /** Bytes. */
  readonly size?: number;
}

export interface SecretMount {
  readonly type: "secret";
  readonly id: string;
  /** Unset when only `env` asks for it. */
  readonly target?: string;
  readonly env?: string;
  readonly required: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface SshMount {
  readonly type: "ssh";
  /** `default` when not named. */
  readonly id: string;
  /** Unset: `/run/buildkit/ssh_agent.N`. */
  readonly target?: string;
  readonly required: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}
