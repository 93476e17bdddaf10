import { existsSync, rmSync, writeFileSync } from "node:fs";
import { HavreError, isHavreError, toHavreError } from "../../../base/mod.ts";
import { type Client, daemonMessage } from "../../../client/mod.ts";
import { familiarReference, parseReference, withDefaultTag } from "../../../spec/mod.ts";
import { text, toggle } from "../../args/flags.ts";
import type { Context } from "../../context.ts";
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
    if (cidFile !== "") writeFileSync(cidFile, id);
    return id;
  } catch (error) {
    if (cidFile !== "") rmSync(cidFile, { force: true });
    throw error;
  }
}

function reserveIdFile(path: string): void {
  if (path === "") return;
  if (existsSync(path))
    refuse(`container ID file found, make sure the other container isn't running or delete ${path}`);
  try {
    writeFileSync(path, "", { flag: "wx" });
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
  const reference = imageReference(body.Image);
  const create = async () => {
    const answer = await client.json<{ Id: string; Warnings: readonly string[] | null }>("POST", "/containers/create", {
      query: { name: options.name || undefined, platform: options.platform || undefined },
      json: body,
    });
    for (const warning of answer.Warnings ?? []) context.err.line(`WARNING: ${warning}`);
    return answer.Id;
  };
  if (options.pull === "always") await pull(context, client, body.Image, options);
  try {
    return await create();
  } catch (error) {
    const missing = isHavreError(error, "not-found") && /No such image/.test(error.message);
    if (!missing || reference === undefined || !["missing", ""].includes(options.pull)) throw error;
    if (!options.quiet) context.err.line(`Unable to find image '${reference}' locally`);
    await pull(context, client, body.Image, options);
    return create();
  }
}

/** The image's name with its tag; undefined for an id. `invalid-argument` when it is neither. */
function imageReference(image: string): string | undefined {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(image)) return undefined;
  return familiarReference(withDefaultTag(parseReference(image)));
}

async function pull(
  context: Context,
  client: Client,
  image: string,
  { platform, quiet }: CreationOptions,
): Promise<void> {
  const { tag, digest, domain, path } = withDefaultTag(parseReference(image));
  const answer = await client.request("POST", "/images/create", {
    query: {
      fromImage: familiarReference({ domain, path }),
      tag: digest ?? tag,
      platform: platform || undefined,
    },
  });
  const { showProgress } = await import("../image/progress.ts");
  const silent = { isTerminal: false, write: () => {}, line: () => {} };
  await showProgress(answer.body, quiet ? silent : context.err);
}

function warnAboutRisks({ err }: Context, { HostConfig }: CreateBody): void {
  if (HostConfig.OomKillDisable && !HostConfig.Memory)
    err.line("WARNING: Disabling the OOM killer on containers without setting a '-m/--memory' limit may be dangerous.");
  const local = HostConfig.Dns?.find((address) => /^127\.|^::1$/.test(address));
  if (local) err.line(`WARNING: Localhost DNS setting (--dns=${local}) may fail in containers.`);
}
