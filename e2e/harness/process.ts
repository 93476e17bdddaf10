import { spawn } from "node:child_process";

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Milliseconds after which it is killed and the call fails; default 30,000. */
  readonly timeout?: number;
}

/** Runs a program to its end. Output is decoded byte for byte as Latin-1 when `binary` is asked for by `runBytes`. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { code, stdout, stderr } = await runBytes(command, args, options);
  return { code, stdout: stdout.toString(), stderr: stderr.toString() };
}

export async function runBytes(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<{ readonly code: number; readonly stdout: Buffer; readonly stderr: Buffer }> {
  const child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on("data", (data: Buffer) => stdout.push(data));
  child.stderr?.on("data", (data: Buffer) => stderr.push(data));
  child.stdin?.on("error", () => {}); // It may end before it has read all; its exit code tells.
  child.stdin?.end(options.input);
  const limit = options.timeout ?? 30_000;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, limit);
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve(status ?? -1));
  }).finally(() => clearTimeout(timer));
  if (late) {
    throw new Error(
      `${command} ${args.join(" ")} did not end within ${limit} ms; so far: ${Buffer.concat(stdout)}${Buffer.concat(stderr)}`,
    );
  }
  return { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
}

/** Waits until `condition` gives something; looks again after each `interval` milliseconds. */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  { within = 15_000, interval = 25 } = {},
): Promise<T> {
  const deadline = performance.now() + within;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`Still not so after ${within} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}
