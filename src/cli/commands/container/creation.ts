import { HavreError, isHavreError, toHavreError } from "../../../base/mod.ts";
import { daemonMessage } from "../../../client/mod.ts";
import { text, toggle } from "../../args/flags.ts";
import type { Context } from "../../context.ts";
import { nodeFs } from "../../node-fs.ts";
import { refuse } from "./options/checks.ts";
import { containerFlags } from "./options/flags.ts";
import type { CreateBody } from "./options/request.ts";

/** Flags that `run` and `create` share. */
export const creationFlags = {
  ...containerFlags,
  "disable-content-trust": toggle("Skip image verification", { initial: true, hidden: true }),
  name: text("Assign a name to the container"),
  platform: text("Set platform if server is multi-platform capable"),
  pull: text('Pull image before running ("always", "missing", "never")', {
    initial: "missing",
    defaultText: '"missing"',
  }),
  quiet: toggle("Suppress the pull output", { short: "q" }),
} as const;

export interface CreationOptions {
  readonly name: string;
  readonly platform: string;
  readonly pull: string;
  readonly quiet: boolean;
}

const DAEMON_FAILURE = 125;
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** Docker's exit codes for a container that did not start. */
export function startExitCode(error: Error): number {
  const message = daemonMessage(error);
  if (/executable file not found|no such file or directory|system cannot find the file specified/.test(message))
    return NOT_FOUND;
  return /permission denied|is a directory/.test(message) ? NOT_EXECUTABLE : DAEMON_FAILURE;
}

/** `havre: …` with a pointer to help, as `run` and `create` report. */
export function reportCreation(context: Context, error: HavreError, withHelp: boolean): void {
  const message = error.message.replace(/\.$/, "");
  context.err.line(`havre: ${message}.${error.hint === undefined ? "" : `\n${error.hint}`}`);
  if (withHelp) context.err.line(`See 'havre ${context.commandName} --help'.`);
}

export function checkPullOption(pull: string): void {
  if (!["always", "missing", "never", ""].includes(pull))
    refuse(`invalid pull option: '${pull}': must be one of "always", "missing" or "never"`);
}

/** Creates the container, pulling its image when it is missing; returns its id. */
export async function createContainer(context: Context, body: CreateBody, options: CreationOptions): Promise<string> {
  const { cidFile } = { cidFile: body.HostConfig.ContainerIDFile ?? "" };
  warnAboutRisks(context, body);
  reserveIdFile(cidFile);
  try {
    const id = await createOrPull(context, body, options);
    if (cidFile !== "") nodeFs().writeFileSync(cidFile, id);
    return id;
  } catch (error) {
    if (cidFile !== "") nodeFs().rmSync(cidFile, { force: true });
    throw error;
  }
}

function reserveIdFile(path: string): void {
  if (path === "") return;
  if (nodeFs().existsSync(path))
    refuse(`container ID file found, make sure the other container isn't running or delete ${path}`);
  try {
    nodeFs().writeFileSync(path, "", { flag: "wx" });
  } catch (error) {
    throw new HavreError(
      toHavreError(error).kind,
      `failed to create the container ID file: ${toHavreError(error).message}`,
      {
        cause: error,
      },
    );
  }
}

async function createOrPull(context: Context, body: CreateBody, options: CreationOptions): Promise<string> {
  const client = await context.client();
  const create = async () => {
    const answer = await client.json<{ Id: string; Warnings: readonly string[] | null }>("POST", "/containers/create", {
      query: { name: options.name || undefined, platform: options.platform || undefined },
      json: body,
    });
    for (const warning of answer.Warnings ?? []) context.err.line(`WARNING: ${warning}`);
    return answer.Id;
  };
  // What is plainly a name goes straight to the daemon; the grammar is loaded for what is not.
  const pulls = options.pull === "always" || !PLAIN_NAME.test(body.Image) ? await import("./pull.ts") : undefined;
  pulls?.checkImageName(body.Image);
  if (options.pull === "always") await pulls?.pullImage(context, body.Image, options);
  try {
    return await create();
  } catch (error) {
    const missing = isHavreError(error, "not-found") && /No such image/.test(error.message);
    if (!missing || !["missing", ""].includes(options.pull)) throw error;
    const { pullMissing } = await import("./pull.ts");
    if (!(await pullMissing(context, body.Image, options))) throw error;
    return create();
  }
}

/** What is a name beyond doubt. */
export const PLAIN_NAME = /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*(?::\w[\w.-]{0,127})?$/;

export function warnAboutRisks({ err }: Context, { HostConfig }: CreateBody): void {
  if (HostConfig.OomKillDisable && !HostConfig.Memory)
    err.line("WARNING: Disabling the OOM killer on containers without setting a '-m/--memory' limit may be dangerous.");
  const local = HostConfig.Dns?.find((address) => /^127\.|^::1$/.test(address));
  if (local) err.line(`WARNING: Localhost DNS setting (--dns=${local}) may fail in containers.`);
}
