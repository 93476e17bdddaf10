import { posix } from "node:path";
import { type ExecutionConfig, parseExposedPort, parseSignal } from "../../spec/mod.ts";
import { expand } from "./expand.ts";
import { parseHealthcheck } from "./healthcheck.ts";
import { type Instruction, invalid, parseJsonForm, parsePairs, readInstructions, splitWords } from "./words.ts";

type Apply = (config: ExecutionConfig, instruction: Instruction, state: State) => ExecutionConfig;

/** What one list of changes remembers from line to line. */
interface State {
  commandSet: boolean;
}

const SHELL = ["/bin/sh", "-c"];

const INSTRUCTIONS: Readonly<Record<string, Apply>> = {
  CMD(config, { rest }, state) {
    const Cmd = commandLine(config, rest);
    if (Cmd.length > 0) state.commandSet = true;
    return { ...config, Cmd };
  },
  ENTRYPOINT(config, { rest }, state) {
    // A new entry point makes the old command meaningless, unless these changes set it.
    return { ...config, Entrypoint: commandLine(config, rest), ...(state.commandSet ? {} : { Cmd: null }) };
  },
  ENV(config, { rest }) {
    const environment = config.Env ?? [];
    let Env = [...environment];
    for (const [key, value] of parsePairs("ENV", rest)) {
      const name = expand(key, environment);
      if (name === "") throw invalid("ENV names can not be blank");
      const entry = `${name}=${expand(value, environment)}`;
      const known = Env.findIndex((other) => other.split("=", 1)[0] === name);
      Env = known < 0 ? [...Env, entry] : Env.with(known, entry);
    }
    return { ...config, Env };
  },
  LABEL(config, { rest }) {
    const labels: Record<string, string> = { ...config.Labels };
    for (const [key, value] of parsePairs("LABEL", rest)) {
      const name = expand(key, config.Env ?? []);
      if (name === "") throw invalid("LABEL names can not be blank");
      labels[name] = expand(value, config.Env ?? []);
    }
    return { ...config, Labels: labels };
  },
  EXPOSE(config, { name, rest }) {
    const words = some(name, rest.split(/\s+/).filter(Boolean));
    const ports = words.flatMap((word) => splitWords(expand(word, config.Env ?? []))).flatMap(parseExposedPort);
    return { ...config, ExposedPorts: { ...config.ExposedPorts, ...asKeys(ports) } };
  },
  VOLUME(config, { name, rest }) {
    const words = some(name, parseJsonForm(rest) ?? rest.split(/\s+/).filter(Boolean));
    const volumes = words.map((word) => expand(word, config.Env ?? []).trim());
    if (volumes.includes("")) throw invalid("VOLUME specified can not be an empty string");
    return { ...config, Volumes: { ...config.Volumes, ...asKeys(volumes) } };
  },
  USER: (config, { name, rest }) => ({ ...config, User: expand(one(name, rest), config.Env ?? []) }),
  WORKDIR(config, { name, rest }) {
    const path = expand(one(name, rest), config.Env ?? []);
    if (path === "") throw invalid("cannot normalize nothing");
    const resolved = posix.resolve("/", config.WorkingDir ?? "", path);
    return { ...config, WorkingDir: resolved };
  },
  STOPSIGNAL(config, { name, rest }) {
    const signal = expand(one(name, rest), config.Env ?? []);
    parseSignal(signal);
    return { ...config, StopSignal: signal };
  },
  HEALTHCHECK: (config, instruction) => ({ ...config, Healthcheck: parseHealthcheck(instruction) }),
  ONBUILD(config, { name, rest }) {
    const trigger = one(name, rest, "at least one argument");
    const word = (trigger.split(/\s+/, 1)[0] ?? "").toUpperCase();
    if (word === "ONBUILD") throw invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
    if (word === "FROM" || word === "MAINTAINER") throw invalid(`${word} isn't allowed as an ONBUILD trigger`);
    return { ...config, OnBuild: [...(config.OnBuild ?? []), trigger] };
  },
};

/**
 * A configuration changed by Dockerfile instructions, as `import --change` and `commit --change` have them.
 * `invalid-argument` with Docker's texts for what is no such instruction or malformed.
 */
export function applyChanges(config: ExecutionConfig, changes: readonly string[]): ExecutionConfig {
  if (changes.length === 0) return config;
  const instructions = readInstructions(changes.join("\n"));
  const unknown = instructions.find(({ name }) => !Object.hasOwn(INSTRUCTIONS, name));
  if (unknown) throw invalid(`${unknown.name} is not a valid change command`);
  const state: State = { commandSet: false };
  return instructions.reduce((current, instruction) => {
    const apply = INSTRUCTIONS[instruction.name];
    const flag = instruction.flags[0];
    if (flag !== undefined && instruction.name !== "HEALTHCHECK") throw invalid(`unknown flag: ${flag.split("=")[0]}`);
    return apply ? apply(current, instruction, state) : current;
  }, config);
}

function commandLine(config: ExecutionConfig, rest: string): readonly string[] {
  return parseJsonForm(rest) ?? (rest === "" ? [] : [...(config.Shell ?? SHELL), rest]);
}

function one(instruction: string, rest: string, wanted = "exactly one argument"): string {
  if (rest === "") throw invalid(`${instruction} requires ${wanted}`);
  return rest;
}

function some(instruction: string, words: readonly string[]): readonly string[] {
  if (words.length === 0) throw invalid(`${instruction} requires at least one argument`);
  return words;
}

function asKeys(names: readonly string[]): Record<string, Record<string, never>> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}
