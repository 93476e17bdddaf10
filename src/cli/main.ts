import { type HavreError, isHavreError, nearest } from "../base/mod.ts";
import { Client, parseAddress, socketTransport } from "../client/mod.ts";
import { type Flags, list, text, toggle } from "./args/flags.ts";
import { type Parsed, parseArguments, UsageError } from "./args/parse.ts";
import type { Command } from "./command.ts";
import { commandTable, type Entry, type Group, type Leaf } from "./commands/table.ts";
import type { Context, DaemonSettings, Places, RegistrySettings } from "./context.ts";
import { nodeFs } from "./node-fs.ts";
import { descriptorOutput, type Output } from "./output/output.ts";

export const globalFlags = {
  host: text("Daemon to talk to: unix:///path, tcp://host:port (default $HAVRE_HOST)", { short: "H" }),
  root: text("Folder of the daemon's data (default /var/lib/havre, or $HAVRE_ROOT)"),
  run: text("Folder of the daemon's socket (default /run/havre, or $HAVRE_RUN)"),
  version: toggle("Print the version and quit", { short: "v" }),
  // Accepted for scripts written for docker.
  debug: toggle("Enable debug mode", { short: "D", hidden: true }),
  config: list("Location of client config files", { hidden: true }),
} as const;

const EXIT_ERROR = 1;
const EXIT_FLAG_ERROR = 125;
/** Docker compose's. */
const EXIT_COMPOSE_FLAG_ERROR = 16;
const OF_COMPOSE = /^(?:compose|up|down|config|watch)(?: |$)/;

export interface Surroundings {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: Output;
  readonly err: Output;
  readonly runDaemon: (settings: DaemonSettings) => Promise<number>;
  readonly runRegistry: (settings: RegistrySettings) => Promise<number>;
  readonly diagnose: Context["diagnose"];
  readonly rawTerminal: Context["rawTerminal"];
}

/** Runs one command line; returns the exit code. */
export async function runCommandLine(world: Surroundings): Promise<number> {
  let said = "";
  try {
    const global = parseArguments(globalFlags, world.argv, false);
    said = global.args.join(" ");
    if (global.flags.version) return await printVersion(world);
    const { entry, words, rest } = await findCommandOrPrefix(commandTable, global.args);
    if ("commands" in entry || (global.help && words.length === 0)) return await showGroup(world, entry, words, rest);
    const command = (await entry.load()).command;
    if (global.help) return await showHelp(world.out, words, command);
    const places = placesOf(global, world.env);
    const name = words.join(" ");
    const other = entry.ofService && !entry.alone && (await serviceCommand(entry.ofService, rest));
    if (other) return await invoke(world, other, name, rest, places);
    return await invoke(world, command, name, rest, places, entry.ofService);
  } catch (error) {
    const code = report(world.err, error, "");
    return error instanceof UsageError && OF_COMPOSE.test(said) ? EXIT_COMPOSE_FLAG_ERROR : code;
  }
}

export function defaultSurroundings(
  argv: readonly string[],
  host: Pick<Surroundings, "runDaemon" | "runRegistry" | "diagnose" | "rawTerminal">,
): Surroundings {
  return { ...host, argv, env: process.env, out: descriptorOutput(1), err: descriptorOutput(2) };
}

async function invoke(
  world: Surroundings,
  command: Command,
  name: string,
  argv: readonly string[],
  places: Places,
  ofService?: Leaf["load"],
): Promise<number> {
  try {
    const { args, changed, flags, help } = parseArguments(command.flags, argv, command.interspersed ?? true);
    if (help) return await showHelp(world.out, name.split(" "), command);
    const complaint = checkCount(command, name, args.length);
    if (complaint !== undefined) {
      world.err.line(
        `${complaint}\nSee 'havre ${name} --help'.\n\nUsage:  havre ${name} ${command.usage}\n\n${command.summary}`,
      );
      return EXIT_ERROR;
    }
    const context = makeContext(world, name, places);
    return (await command.run({ args, changed, flags, context })) ?? 0;
  } catch (error) {
    const code = ofService && isNoContainer(error) ? await tryService(world, ofService, name, argv, places) : undefined;
    return code ?? report(world.err, error, name);
  }
}

/** The words alone (`havre logs -f`) mean the project of the folder, where there is one. */
async function serviceCommand(load: Leaf["load"], argv: readonly string[]): Promise<Command | undefined> {
  if (argv.some((word) => !word.startsWith("-"))) return undefined;
  const { command } = await load();
  const { hasProject } = await import("./commands/compose/project.ts");
  return command.min === 0 && !argv.includes("--help") && hasProject() ? command : undefined;
}

function isNoContainer(error: unknown): boolean {
  return isHavreError(error, "not-found") && /No such container/.test(error.message);
}

/** What names no container may name a service of the folder's project; undefined when it does not either. */
async function tryService(
  world: Surroundings,
  load: Leaf["load"],
  name: string,
  argv: readonly string[],
  places: Places,
): Promise<number | undefined> {
  const { hasProject } = await import("./commands/compose/project.ts");
  if (!hasProject()) return undefined;
  const { command } = await load();
  try {
    const { args, changed, flags } = parseArguments(command.flags, argv, command.interspersed ?? true);
    return (await command.run({ args, changed, flags, context: makeContext(world, name, places) })) ?? 0;
  } catch (error) {
    if (isHavreError(error, "not-found") && error.message.startsWith("no such service")) return undefined;
    if (error instanceof UsageError) return undefined;
    return report(world.err, error, name);
  }
}

function makeContext(world: Surroundings, commandName: string, places: Places): Context {
  let client: Promise<Client> | undefined;
  return { ...world, commandName, places, client: () => (client ??= openClient(world, places)) };
}

async function openClient(world: Surroundings, places: Places): Promise<Client> {
  if (places.host !== undefined) return new Client(socketTransport(parseAddress(places.host)));
  const transport = socketTransport({ kind: "unix", path: `${places.run}/havre.sock` });
  const client = new Client(transport);
  try {
    // The connection is kept for the command's first request.
    await client.connect();
    // What is needed to print the answer is loaded while the daemon works on it.
    setImmediate(nodeFs);
    return client;
  } catch (error) {
    if (!isHavreError(error)) throw error;
    const { startDaemon } = await import("./daemon/start.ts");
    await startDaemon(places, transport, error, world.err);
    return client;
  }
}

function placesOf(global: Parsed<typeof globalFlags>, env: Surroundings["env"]): Places {
  const host = global.flags.host || env.HAVRE_HOST;
  return {
    root: global.flags.root || env.HAVRE_ROOT || "/var/lib/havre",
    run: global.flags.run || env.HAVRE_RUN || "/run/havre",
    host: host || undefined,
  };
}

/** Walks the words of a command line down the table, or on from the group that `before` has led to. */
export function findCommand(
  table: Group,
  argv: readonly string[],
  before: readonly string[] = [],
): { readonly entry: Entry; readonly words: readonly string[]; readonly rest: readonly string[] } {
  let entry: Entry = table;
  const words = [...before];
  let rest = argv;
  while ("commands" in entry) {
    const [word, ...others] = rest;
    if (word === undefined || word.startsWith("-")) break;
    const next: Entry | undefined = Object.hasOwn(entry.commands, word) ? entry.commands[word] : undefined;
    if (!next) {
      if (word === "help") return { entry, words, rest: ["--help", ...others] };
      throw unknownCommand(entry, words, word);
    }
    words.push(word);
    entry = next;
    rest = others;
  }
  return { entry, words, rest };
}

/** The same, where a group's own flags may stand before a command's name: `compose -f FILE up`. */
async function findCommandOrPrefix(table: Group, argv: readonly string[]): Promise<ReturnType<typeof findCommand>> {
  const found = findCommand(table, argv);
  const { entry, words, rest } = found;
  if (!("commands" in entry) || !entry.flags || rest.length === 0) return found;
  const { changed, flags, args, help } = parseArguments(await entry.flags(), rest, false);
  if (help || args.length === 0) return { ...found, rest: help ? ["--help"] : [] };
  const inner = findCommand(entry, args, words);
  // By long names and before its own words: `-f` is another flag to some.
  const given = [...changed].flatMap((name) => [flags[name]].flat().map((value) => `--${name}=${String(value)}`));
  return { entry: inner.entry, words: inner.words, rest: [...given, ...inner.rest] };
}

function unknownCommand(group: Group, words: readonly string[], word: string): HavreError {
  const known = Object.keys(group.commands).filter((name) => !name.startsWith("_"));
  const near = nearest(word, known);
  const full = ["havre", ...words].join(" ");
  return new UsageError(
    `havre: '${[...words, word].join(" ")}' is not a havre command.\nSee '${full} --help'`,
    near && `Did you mean '${full} ${near}'?`,
  );
}

function checkCount({ min, max }: Command, name: string, count: number): string | undefined {
  const plural = (wanted: number) => `${wanted} argument${wanted === 1 ? "" : "s"}`;
  if (max === 0 && count > 0) return `"havre ${name}" accepts no arguments.`;
  if (min === max && count !== min) return `"havre ${name}" requires exactly ${plural(min)}.`;
  if (count < min) return `"havre ${name}" requires at least ${plural(min)}.`;
  if (max !== undefined && count > max) return `"havre ${name}" requires at most ${plural(max)}.`;
  return undefined;
}

async function showHelp(out: Output, words: readonly string[], command: Command): Promise<number> {
  const { commandHelp } = await import("./args/help.ts");
  out.write(commandHelp(words, command, await helpWidth(out)));
  return 0;
}

async function helpWidth(out: Output): Promise<number | undefined> {
  if (!out.isTerminal) return undefined;
  const { terminalSize } = await import("./output/terminal.ts");
  return (await terminalSize(1)).columns || undefined;
}

async function showGroup(
  world: Surroundings,
  entry: Entry,
  words: readonly string[],
  rest: readonly string[],
): Promise<number> {
  if (!("commands" in entry)) return EXIT_ERROR;
  const { groupHelp, helpFor } = await import("./args/help.ts");
  const asked = rest[0] === "--help" || rest[0] === "-h" ? rest.slice(1) : [];
  if (asked.length > 0) {
    world.out.write(await helpFor(findCommand(entry, asked), words, await helpWidth(world.out)));
    return 0;
  }
  const { help } = parseArguments({} satisfies Flags, rest, false);
  world.out.write(await groupHelp(words, entry, globalFlags, await helpWidth(world.out)));
  return help || words.length === 0 ? 0 : EXIT_ERROR;
}

async function printVersion(world: Surroundings): Promise<number> {
  const { versionLine } = await import("./version.ts");
  world.out.line(versionLine);
  return 0;
}

/** Says what went wrong, and what to do where that is known. */
export function report(err: Output, error: unknown, name: string): number {
  if (error instanceof UsageError) {
    const pointer = name === "" ? "" : `\nSee 'havre ${name} --help'.`;
    err.line(error.message + (error.hint === undefined ? "" : `\n${error.hint}`) + pointer);
    if (OF_COMPOSE.test(name)) return EXIT_COMPOSE_FLAG_ERROR;
    return name === "" ? EXIT_ERROR : EXIT_FLAG_ERROR;
  }
  if (!isHavreError(error)) {
    err.line(`havre: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return EXIT_ERROR;
  }
  err.line(error.message);
  if (error.hint !== undefined) err.line(error.hint);
  return error.exitStatus ?? EXIT_ERROR;
}
