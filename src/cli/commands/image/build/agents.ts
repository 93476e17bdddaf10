import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { HavreError } from "../../../../base/mod.ts";
import type { Context } from "../../../context.ts";

/** Agents lent to a build, by id; those that were started for it end with it. */
export interface LentAgents extends AsyncDisposable {
  readonly sockets: Readonly<Record<string, string>>;
}

/**
 * `ID`, `ID=SOCKET` or `ID=KEY[,KEY]`: the agent of this session, one by its socket, or one started for these keys.
 * `failed-precondition` for a daemon that is not on this machine: it could not reach them.
 */
export async function lendAgents({ places, env }: Context, words: readonly string[]): Promise<LentAgents> {
  const held = new AsyncDisposableStack();
  if (words.length > 0 && places.host !== undefined && !/^(?:unix:\/\/)?\//.test(places.host))
    throw new HavreError("failed-precondition", "SSH agents are lent to a daemon on this machine only", {
      hint: "docker buildx build --ssh serves it, against the same daemon",
    });
  try {
    const sockets: Record<string, string> = {};
    for (const word of words) {
      const [, id = word, value = ""] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
      sockets[id || "default"] = await socketOf(id, value, env, held);
    }
    return { sockets, [Symbol.asyncDispose]: () => held.disposeAsync() };
  } catch (error) {
    await held.disposeAsync();
    throw error;
  }
}

async function socketOf(id: string, value: string, env: Context["env"], held: AsyncDisposableStack): Promise<string> {
  const given = value || env.SSH_AUTH_SOCK;
  if (!given)
    throw new HavreError("failed-precondition", `invalid empty ssh agent socket: ${id} has none`, {
      hint: "Start an agent (eval $(ssh-agent)), or name a key: ID=PATH",
    });
  const paths = given.split(",").map((path) => resolve(path));
  for (const path of paths)
    if (!existsSync(path)) throw new HavreError("not-found", `ssh ${id}: open ${path}: no such file or directory`);
  const [first = ""] = paths;
  return statSync(first).isSocket() ? first : startAgent(paths, held);
}

async function startAgent(keys: readonly string[], held: AsyncDisposableStack): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "havre-agent-"));
  held.defer(() => rmSync(folder, { recursive: true, force: true }));
  const socket = join(folder, "agent.sock");
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "ignore"] });
  const started = Promise.withResolvers<void>();
  agent.once("error", (cause) => started.reject(missing(cause)));
  // It says where it listens once it does.
  agent.stdout.once("data", () => started.resolve());
  agent.once("exit", () => started.reject(new HavreError("unavailable", "ssh-agent ended at once")));
  await started.promise;
  held.defer(async () => {
    const ended = once(agent, "exit");
    if (agent.kill()) await ended;
  });
  const add = spawn("ssh-add", ["-q", ...keys], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: "never" },
  });
  let said = "";
  add.stderr.on("data", (data) => (said += data));
  const [code] = await once(add, "close");
  if (code !== 0)
    throw new HavreError("invalid-argument", `ssh: ${said.trim() || `${keys.join(", ")} could not be read`}`, {
      hint: "A key with a passphrase is lent by an agent: ssh-add it there, and name the agent",
    });
  return socket;
}

function missing(cause: Error): HavreError {
  return new HavreError("unavailable", "ssh-agent is not there, which lends the keys", {
    cause,
    hint: "apt-get install openssh-client",
  });
}
