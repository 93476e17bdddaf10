import { randomBytes } from "node:crypto";
import { HavreError } from "../../../base/mod.ts";
import {
  bringUp,
  containerRequest,
  imageOf,
  LABEL,
  type Project,
  readMounts,
  readPorts,
  type Service,
  selectServices,
  stageFiles,
} from "../../../compose/mod.ts";
import type { Values } from "../../args/flags.ts";
import { list, text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import type { Context } from "../../context.ts";
import { isTerminal } from "../../output/output.ts";
import { consoleSize } from "../../streams/standard.ts";
import type { CreateBody } from "../container/options/request.ts";
import { runInSteps } from "../container/run-in-steps.ts";
import { projectFlags } from "./flags.ts";
import { filesFolder, projectOf } from "./project.ts";
import { openSession } from "./session.ts";
import { pullPolicy } from "./up.ts";

const runFlags = {
  ...projectFlags,
  build: toggle("Build image before starting container"),
  "cap-add": list("Add Linux capabilities"),
  "cap-drop": list("Drop Linux capabilities"),
  detach: toggle("Run container in background and print its name", { short: "d" }),
  entrypoint: text("Override the entrypoint of the image"),
  env: list("Set environment variables", { short: "e" }),
  interactive: toggle("Keep STDIN open even if not attached", { short: "i", initial: true, defaultText: "true" }),
  label: list("Add or override a label", { short: "l" }),
  name: text("Assign a name to the container"),
  "no-TTY": toggle("Disable pseudo-TTY allocation (default: as the terminal is)", { short: "T" }),
  "no-deps": toggle("Don't start linked services"),
  publish: list("Publish a container's port(s) to the host"),
  pull: text('Pull image before running ("always"|"missing"|"never")'),
  "quiet-pull": toggle("Pull without printing progress information"),
  "remove-orphans": toggle("Remove containers for services not defined in the Compose file"),
  rm: toggle("Automatically remove the container when it exits"),
  "service-ports": toggle("Run command with all service's ports enabled and mapped to the host", { short: "P" }),
  tty: toggle("", { short: "t", hidden: true }),
  "use-aliases": toggle("Use the service's network useAliases in the network(s) the container connects to"),
  user: text("Run as specified username or uid", { short: "u" }),
  volume: list("Bind mount a volume", { short: "v" }),
  workdir: text("Working directory inside the container", { short: "w" }),
} as const;
type RunFlags = Values<typeof runFlags>;

export const command = defineCommand({
  usage: "[OPTIONS] SERVICE [COMMAND] [ARG...]",
  summary: "Run a one-off command on a service",
  detail:
    "A container of its own with the service's configuration, beside those of `up`: its dependencies are started first, its ports are not published unless asked for.",
  examples: [
    ["compose run --rm web sh", "A shell where web would run"],
    ["compose run --rm -T db pg_dump > dump.sql", "A command's output"],
  ],
  flags: runFlags,
  min: 1,
  interspersed: false,
  async run({ context, flags, args: [name = "", ...words] }) {
    const project = selectServices(await projectOf(context, flags), [name], !flags["no-deps"]);
    const service = project.services[name];
    if (!service) throw new HavreError("not-found", `no such service: ${name}`);
    await prepare(context, flags, project, name);
    return runOneOff(context, flags, project, name, overridden(service, flags, words));
  },
});

/** Starts what the service depends on, and makes its networks, volumes and image. */
async function prepare(context: Context, flags: RunFlags, project: Project, name: string): Promise<void> {
  await using session = await openSession(context, flags, project);
  await bringUp({
    ...session.run,
    project,
    without: [name],
    engine: session.engine,
    imageMaker: session.images,
    warn: session.warn,
    named: [],
    recreate: "diverged",
    recreateDependencies: "diverged",
    renewsVolumes: false,
    removesOrphans: flags["remove-orphans"],
    ignoresOrphans: false,
    starts: true,
    waits: false,
    images: { build: flags.build ? "always" : "missing", pull: pullPolicy(flags.pull) },
    timeout: undefined,
    filesFolder: filesFolder(context),
  });
}

function overridden(service: Service, flags: RunFlags, words: readonly string[]): Service {
  const { container_name: _name, ports, command, entrypoint, restart: _restart, deploy, ...rest } = service;
  const { restart_policy: _policy, replicas: _replicas, ...limits } = deploy ?? {};
  const published = [...(flags["service-ports"] ? (ports ?? []) : []), ...readPorts(flags.publish)];
  const own = flags.entrypoint === "" ? entrypoint : flags.entrypoint.split(" ");
  // Another entrypoint makes the old command meaningless.
  const kept = flags.entrypoint === "" ? command : undefined;
  const said = words.length > 0 ? words : kept;
  return {
    ...rest,
    ...(deploy ? { deploy: limits } : {}),
    ports: published,
    ...(own ? { entrypoint: own } : {}),
    ...(said ? { command: said } : {}),
    environment: { ...service.environment, ...assignments(flags.env, process.env) },
    labels: { ...service.labels, ...(assignments(flags.label, {}) as Record<string, string>) },
    volumes: [...(service.volumes ?? []), ...readMounts(flags.volume, process.cwd())],
    cap_add: [...(service.cap_add ?? []), ...flags["cap-add"]],
    cap_drop: [...(service.cap_drop ?? []), ...flags["cap-drop"]],
    ...(flags.user === "" ? {} : { user: flags.user }),
    ...(flags.workdir === "" ? {} : { working_dir: flags.workdir }),
    tty: !flags["no-TTY"] && !flags.detach && isTerminal(0) && isTerminal(1),
    stdin_open: flags.interactive && !flags.detach,
  };
}

function assignments(
  words: readonly string[],
  outer: Readonly<Record<string, string | undefined>>,
): Record<string, string | null> {
  return Object.fromEntries(
    words.map((word) => {
      const equals = word.indexOf("=");
      return equals < 0 ? [word, outer[word] ?? null] : [word.slice(0, equals), word.slice(equals + 1)];
    }),
  );
}

async function runOneOff(
  context: Context,
  flags: RunFlags,
  project: Project,
  name: string,
  service: Service,
): Promise<number> {
  const slug = randomBytes(6).toString("hex");
  const session = await openSession(context, flags, project);
  const imageId = (await session.engine.imageId(imageOf(project, name, service))) ?? "";
  await session[Symbol.asyncDispose]();
  const own = flags.name || `${project.name}-${name}-run-${slug}`;
  const files = stageFiles(project, `${name}-run-${slug}`, service, filesFolder(context));
  const body = containerRequest({
    project,
    name: flags["use-aliases"] ? name : own,
    service: { ...service, container_name: own, image: imageOf(project, name, service) },
    number: 1,
    imageId,
    inherited: [],
    fileBinds: files.binds,
    links: [],
    extraLabels: { [LABEL.service]: name, [LABEL.oneOff]: "True", [LABEL.slug]: slug },
  }) as unknown as CreateBody;
  body.AttachStdin = flags.interactive && !flags.detach;
  body.AttachStdout = !flags.detach;
  body.AttachStderr = !flags.detach;
  body.StdinOnce = body.AttachStdin;
  body.HostConfig = { ...body.HostConfig, AutoRemove: flags.rm };
  if (body.Tty) body.HostConfig.ConsoleSize = await consoleSize(context.out.isTerminal);
  const options = { name: own, platform: service.platform ?? "", pull: "never", quiet: true };
  return runInSteps({
    context: flags.detach ? { ...context, out: nameOnly(context, own) } : context,
    body,
    flags: { ...options, "detach-keys": "", "sig-proxy": true },
    trace: undefined,
  });
}

/** In the background the name is printed, where `run` would print the id. */
function nameOnly({ out }: Context, name: string): Context["out"] {
  return { isTerminal: out.isTerminal, write: out.write, line: () => out.line(name) };
}
