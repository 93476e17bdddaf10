import type { ContainerConfig } from "../../../spec/mod.ts";

/** Program and arguments of a container. */
export function commandOf({ Entrypoint, Cmd }: ContainerConfig): {
  readonly path: string;
  readonly args: readonly string[];
} {
  const [path = "", ...args] = [...(Entrypoint ?? []), ...(Cmd ?? [])];
  return { path, args };
}

/** The `COMMAND` column of `docker ps`: arguments with spaces stand in quotes. */
export function commandText(config: ContainerConfig): string {
  const { path, args } = commandOf(config);
  return [path, ...args.map((arg) => (arg.includes(" ") ? `'${arg}'` : arg))].join(" ");
}
