import { HavreError } from "../../base/mod.ts";
import { type ArgCommand, DockerfileError, parseDockerfile, planBuild, quoteLines } from "../dockerfile/mod.ts";
import type { Definition } from "./client-files.ts";
import type { FrontendRequest } from "./frontend-options.ts";
import { linesOf, lint } from "./warnings.ts";

type Metadata = Readonly<Record<string, Uint8Array>>;
type Answer = (definition: Definition, request: FrontendRequest) => Metadata;

const VERSION = "1.0.0";
const SUBREQUESTS: Readonly<Record<string, { readonly description: string; readonly answer: Answer }>> = {
  "frontend.outline": { description: "List all parameters current build target supports", answer: outline },
  "frontend.targets": { description: "List all targets current build supports", answer: targets },
  "frontend.lint": { description: "Lint a Dockerfile", answer: lintResults },
  "frontend.subrequests.describe": { description: "List available subrequest types", answer: describe },
};

/** Answers a question about a Dockerfile (`--check`, `--call`). `not-implemented` for one that is not known. */
export function answerSubrequest(name: string, definition: Definition, request: FrontendRequest): Metadata {
  const known = Object.hasOwn(SUBREQUESTS, name) ? SUBREQUESTS[name] : undefined;
  if (known === undefined) throw new HavreError("not-implemented", `unsupported request ${name}`);
  return known.answer(definition, request);
}

function result(json: unknown, text: string, more: Record<string, string> = {}): Metadata {
  const parts = { "result.json": JSON.stringify(json, undefined, 2), "result.txt": text, version: VERSION, ...more };
  return Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, Buffer.from(value)]));
}

function targets({ file }: Definition): Metadata {
  const { stages } = parseDockerfile(file);
  const list = stages.map(({ name, base, platform, description, source: { range } }, index) => ({
    ...(name === undefined ? {} : { name }),
    ...(index === stages.length - 1 ? { default: true } : {}),
    ...(description === undefined ? {} : { description }),
    base,
    ...(platform === undefined ? {} : { platform }),
    location: { ranges: linesOf({ range }) },
  }));
  const rows = list.map(({ name, default: last, description = "" }) => {
    const title = name === undefined ? (last ? "(default)" : "") : last ? `${name} (default)` : name;
    return [title, description] as const;
  });
  return result({ targets: list, sources: [base64(file.text)] }, table([["TARGET", "DESCRIPTION"], ...rows], 1));
}

function outline({ file }: Definition, { options, contexts }: FrontendRequest): Metadata {
  const dockerfile = parseDockerfile(file);
  const buildArgs = new Map(Object.entries(options.buildArgs));
  const plan = planBuild(dockerfile, {
    buildArgs,
    buildPlatform: options.buildPlatform,
    targetPlatform: options.platform,
    contexts: new Set(contexts.keys()),
    ...(options.target === undefined ? {} : { target: options.target }),
  });
  const commands = plan.needed.flatMap((index) => plan.stages[index]?.commands ?? []);
  const declared = [...dockerfile.globalArgs, ...commands.filter((command) => command.kind === "arg")];
  const args = new Map<string, object>();
  for (const { args: definitions, source } of declared as readonly ArgCommand[]) {
    for (const { key, value, description } of definitions) {
      const now = buildArgs.get(key) ?? plan.globals.get(key) ?? value;
      args.set(key, {
        name: key,
        ...(description === undefined ? {} : { description }),
        ...(now === undefined ? {} : { value: now }),
        location: { ranges: linesOf(source) },
      });
    }
  }
  const mounts = commands.flatMap((command) =>
    command.kind === "run" ? command.mounts.map((mount) => ({ mount, source: command.source })) : [],
  );
  const wanted = (type: "secret" | "ssh") =>
    mounts.flatMap(({ mount, source }) =>
      mount.type === type
        ? [{ name: mount.id, ...(mount.required ? { required: true } : {}), location: { ranges: linesOf(source) } }]
        : [],
    );
  const cache = mounts.flatMap(({ mount, source }) =>
    mount.type === "cache" ? [{ ID: mount.id ?? mount.target, location: { ranges: linesOf(source) } }] : [],
  );
  const target = plan.stages[plan.target]?.stage;
  const [name, description] = [target?.name, target?.description];
  const list = [...args.values()] as readonly { name: string; value?: string; description?: string }[];
  const [secrets, ssh] = [wanted("secret"), wanted("ssh")];
  const parts = [
    name === undefined ? "" : table([["TARGET:", name], ...(description ? [["DESCRIPTION:", description]] : [])], 1),
    section(
      ["BUILD ARG", "VALUE", "DESCRIPTION"],
      list.map((arg) => [arg.name, arg.value ?? "", arg.description ?? ""]),
    ),
    section(
      ["SECRET", "REQUIRED"],
      secrets.map((secret) => [secret.name, secret.required ? "true" : ""]),
    ),
    section(
      ["SSH", "REQUIRED"],
      ssh.map((agent) => [agent.name, agent.required ? "true" : ""]),
    ),
    section(
      ["CACHE MOUNT"],
      cache.map(({ ID }) => [ID]),
    ),
  ];
  const json = {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...{ args: list, secrets, ssh, cache, sources: [base64(file.text)] },
  };
  return result(json, parts.filter((part) => part !== "").join("\n"));
}

/** What is wrong is part of the answer, too. */
function lintResults({ file }: Definition, request: FrontendRequest): Metadata {
  const sources = [{ filename: file.name, language: "Dockerfile", data: base64(file.text) }];
  try {
    const { warnings } = lint(parseDockerfile(file), request);
    const list = warnings.map((warning) => ({
      ruleName: warning.rule,
      description: warning.description,
      url: warning.url,
      detail: warning.message,
      location: { ranges: linesOf(warning) },
    }));
    const text = warnings.map(
      ({ rule, url, message, range }) =>
        `\nWARNING: ${rule} - ${url}\n${message}\n${file.name}:${range.start.line}\n${quoteLines(file.text, range)}\n`,
    );
    const statuscode = list.length > 0 ? "1" : "0";
    return result({ warnings: list, sources }, text.join(""), { "result.statuscode": statuscode });
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    const location = { ranges: linesOf(error) };
    const json = { warnings: [], sources, buildError: { message: error.message, location } };
    return result(json, `${error.message}\n${error.hint}\n`, { "result.statuscode": "1" });
  }
}

function describe(): Metadata {
  const list = Object.entries(SUBREQUESTS).map(([name, { description }]) => ({
    Name: name,
    Version: VERSION,
    Type: "rpc",
    Description: description,
    Opts: name === "frontend.outline" ? [{ Name: "target", Description: "Target build stage" }] : [],
    Metadata: [{ Name: "result.json" }, { Name: "result.txt" }],
  }));
  const rows = list.map(({ Name, Version, Description }) => [Name.replace("frontend.", ""), Version, Description]);
  return result(list, table([["NAME", "VERSION", "DESCRIPTION"], ...rows], 1));
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function section(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? "" : table([head, ...rows], 3);
}

/** Columns with `gap` spaces between them; the last one is not padded. */
function table(rows: readonly (readonly string[])[], gap: number): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0)) + gap;
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(width(column)))).join("");
  return `${rows.map(line).join("\n")}\n`;
}
