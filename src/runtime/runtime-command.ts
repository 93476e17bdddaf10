import { HavreError } from "../base/mod.ts";
import { killGroup } from "../kernel/mod.ts";

/** An OCI runtime's binary with the arguments that go before its subcommand. */
export interface RuntimeBinary {
  readonly path: string;
  readonly args: readonly string[];
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Nothing of the daemon's environment reaches a runtime: with LISTEN_FDS it would hand descriptors on to the container. */
export function runtimeEnvironment(): { readonly PATH: string } {
  return { PATH: process.env.PATH ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
}

/** Runs `runtime ARGS…` to its end; killed and `deadline-exceeded` after `timeout` milliseconds. */
export async function runRuntime(
  binary: RuntimeBinary,
  args: readonly string[],
  timeout: number,
): Promise<CommandResult> {
  const child = Bun.spawn([binary.path, ...binary.args, ...args], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: runtimeEnvironment(),
    // A group of its own, so that what it starts can be killed with it.
    detached: true,
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killGroup(child.pid);
  }, timeout);
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  clearTimeout(timer);
  if (late) {
    throw new HavreError("deadline-exceeded", `${binary.path} ${args[0]} did not end within ${timeout / 1000} s`);
  }
  return { code, stdout, stderr };
}
