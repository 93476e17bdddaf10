import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HavreError } from "../base/mod.ts";
import { type Address, Client, parseAddress, socketTransport } from "../client/mod.ts";

const REMOTE_SOCKET = "/run/havre/havre.sock";

/** Another engine than this command line's own, until disposed. */
export interface Elsewhere extends AsyncDisposable {
  readonly client: Client;
}

/** Connects to `unix://`, `tcp://`, or through ssh(1) to the socket of an engine on another host (`ssh://[user@]host[:port][/socket]`). */
export async function connectElsewhere(host: string): Promise<Elsewhere> {
  if (!host.startsWith("ssh://"))
    return { client: new Client(socketTransport(addressOf(host))), [Symbol.asyncDispose]: async () => {} };
  const url = URL.canParse(host) ? new URL(host) : undefined;
  // What begins with a dash would be an option of ssh.
  if (!url || url.hostname === "" || url.hostname.startsWith("-") || url.username.startsWith("-"))
    throw new HavreError("invalid-argument", `${host} is no host to reach by ssh`, {
      hint: "Give ssh://[user@]host[:port][/path/to.sock]",
    });
  return throughSsh(url, host);
}

function addressOf(host: string): Address {
  try {
    return parseAddress(host);
  } catch (cause) {
    throw new HavreError("invalid-argument", `${host} is no address of an engine`, {
      cause,
      hint: "Give unix:///path/to.sock, tcp://host:port or ssh://[user@]host[:port][/path/to.sock]",
    });
  }
}

async function throughSsh({ hostname, username, port, pathname }: URL, host: string): Promise<Elsewhere> {
  const name = hostname.replace(/^\[|\]$/g, "");
  const folder = await mkdtemp(join(tmpdir(), "havre-ssh-"));
  const socket = join(folder, "havre.sock");
  const remote = pathname === "" || pathname === "/" ? REMOTE_SOCKET : pathname;
  // biome-ignore format: flag and value side by side
  const ssh = spawn("ssh", [
    "-nNT", "-o", "ExitOnForwardFailure=yes", "-o", "StreamLocalBindMask=0177",
    ...(port === "" ? [] : ["-p", port]), "-L", `${socket}:${remote}`,
    "--", username === "" ? name : `${decodeURIComponent(username)}@${name}`,
  ], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  ssh.stderr.on("data", (data: Buffer) => {
    said += data.toString();
  });
  const ended = new Promise<string>((resolve) => {
    ssh.on("error", (error) => resolve(error.message));
    ssh.on("close", (code) => resolve(said.trim() || `ssh ended with ${code}`));
  });
  const dispose = async () => {
    ssh.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const looking = new AbortController();
  const why = await Promise.race([ended, whenThere(socket, looking.signal)]);
  looking.abort();
  const client = new Client(socketTransport({ kind: "unix", path: socket }));
  try {
    if (why !== undefined) throw new HavreError("unavailable", `Cannot reach ${host}: ${why}`);
    // ssh listens here before it knows whether somebody listens there.
    await client.request("GET", "/_ping").catch((cause: unknown) => {
      throw new HavreError("unavailable", `No engine answers at ${remote} of ${name}${said && `: ${said.trim()}`}`, {
        cause,
        hint: "Give its socket behind the host's name, and a user who may open it",
      });
    });
  } catch (error) {
    await dispose();
    throw error;
  }
  return { client, [Symbol.asyncDispose]: dispose };
}

/** ssh says nothing when it listens; its socket appears. */
function whenThere(path: string, signal: AbortSignal): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setInterval(() => {
    if (existsSync(path)) resolve(undefined);
  }, 20);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  return promise;
}
