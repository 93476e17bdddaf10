import type { IgnoreMatcher } from "../../../spec/mod.ts";
import type { AddCommand, Command, CopyCommand } from "../commands.ts";
import type { PlannedStage } from "../plan.ts";
import type { StageScope } from "../scope.ts";
import { nearest } from "../suggest.ts";
import type { Instruction } from "../tree.ts";
import type { Reporter } from "./reporter.ts";

const SECRET = /(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i;
const NOT_SECRET = /(?:_|^)(?:public|file|version)(?:_|$)/i;
const SINGLE = ["cmd", "entrypoint", "healthcheck"];

/** What a stage's commands have told so far. A stage on another goes on with it. */
export interface StageState {
  readonly scope: StageScope;
  /** False: the base image's variables are not known, so none can be said to be undefined. */
  readonly variablesKnown: boolean;
  workdirSet: boolean;
  shellSet: boolean;
}

/** The rules about what a stage's commands do together. Goes through them in order and changes `state`. */
export function lintStage(
  { commands, triggers }: PlannedStage,
  state: StageState,
  ignore: IgnoreMatcher | undefined,
  reporter: Reporter,
): void {
  const seen = new Map<string, Instruction>();
  commands.forEach((command, index) => {
    const { source } = command;
    const applied = state.scope.apply(command, (name) => {
      if (!state.variablesKnown) return;
      const names = state.scope.environment.map((entry) => entry.slice(0, entry.indexOf("=")));
      const match = nearest(name, names);
      const suggestion = match === undefined ? "" : ` (did you mean $${match}?)`;
      reporter.warn("UndefinedVar", source, `Usage of undefined variable '$${name}'${suggestion}`);
    });
    if (SINGLE.includes(command.kind)) {
      const before = seen.get(command.kind);
      const only = "should not be used in the same stage because only the last one will be used";
      if (before)
        reporter.warn("MultipleInstructionsDisallowed", before, `Multiple ${name(before)} instructions ${only}`);
      seen.set(command.kind, source);
    }
    lintCommand(applied, state, index < triggers ? undefined : ignore, reporter);
  });
}

function lintCommand(command: Command, state: StageState, ignore: IgnoreMatcher | undefined, reporter: Reporter): void {
  const { source } = command;
  switch (command.kind) {
    case "cmd":
    case "entrypoint": {
      if (command.line.form === "exec" || state.shellSet) return;
      const message = `JSON arguments recommended for ${name(source)} to prevent unintended behavior related to OS signals`;
      reporter.warn("JSONArgsRecommended", source, message);
      return;
    }
    case "shell":
      state.shellSet = true;
      return;
    case "workdir": {
      if (!state.workdirSet && !command.path.startsWith("/")) {
        const message = `Relative workdir ${JSON.stringify(command.path)} can have unexpected results if the base image changes`;
        reporter.warn("WorkdirRelativePath", source, message);
      }
      state.workdirSet = true;
      return;
    }
    case "arg":
    case "env": {
      const keys = command.kind === "arg" ? command.args : command.pairs;
      for (const { key } of keys) {
        if (!SECRET.test(key) || NOT_SECRET.test(key)) continue;
        const what = `${command.kind.toUpperCase()} ${JSON.stringify(key)}`;
        const message = `Do not use ARG or ENV instructions for sensitive data (${what})`;
        reporter.warn("SecretsUsedInArgOrEnv", source, message);
      }
      return;
    }
    case "expose":
      lintPorts(source, reporter);
      return;
    case "add":
    case "copy":
      if (ignore !== undefined) lintSources(command, ignore, reporter);
  }
}

function lintPorts(source: Instruction, reporter: Reporter): void {
  for (const { text, range } of source.arguments) {
    const protocol = text.split("/")[1] ?? "";
    if (/^(tcp|udp|sctp)$/i.test(protocol) && protocol !== protocol.toLowerCase()) {
      const message = `Defined protocol '${text}' in EXPOSE instruction should be lowercase`;
      reporter.warn("ExposeProtoCasing", source, message, range);
    }
    if (/^[^$]*:/.test(text)) {
      const message = `EXPOSE instruction should not define an IP address or host-port mapping, found '${text}'`;
      reporter.warn("ExposeInvalidFormat", source, message, range);
    }
  }
}

/** Only where no pattern takes back what another leaves out: else only the files could tell. */
function lintSources(command: AddCommand | CopyCommand, ignore: IgnoreMatcher, reporter: Reporter): void {
  if (ignore.hasExceptions || (command.kind === "copy" && command.from !== undefined)) return;
  for (const source of command.sources) {
    if (/^(https?:|git@|git:|ssh:)/.test(source)) continue;
    const path = source.replace(/^\.?\/+/, "").replace(/\/+$/, "") || ".";
    const ignored =
      path === "." ? ignore.patterns.some((pattern) => ["*", "**", "**/*"].includes(pattern)) : ignore.ignores(path);
    if (!ignored) continue;
    const verb = command.kind === "copy" ? "Copy" : "Add";
    const message = `Attempting to ${verb} file ${JSON.stringify(path)} that is excluded by .dockerignore`;
    reporter.warn("CopyIgnoredFile", command.source, message);
  }
}

function name({ name: { text } }: Instruction): string {
  return text.toUpperCase();
}
