import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { HavreError, Undoes } from "../../base/mod.ts";
import type { ImageLayer } from "../../images/mod.ts";
import type { NetworkMode } from "../../networks/mod.ts";
import type { Exit, OutputChunk } from "../../runtime/mod.ts";
import type { ExecOp } from "../graph/ops.ts";
import { commitLayer } from "./commit-layer.ts";
import type { OpContext } from "./context.ts";
import { type MountInputs, prepareMounts } from "./mounts.ts";

/** Begins the name of whatever a step makes outside of this folder's own: how the next daemon finds it. */
export const STEP_KEY = "build-";

const SIGKILL = 9;
/** Characters of a step's output that may tell why it did not run. */
const LAST_WORDS = 1024;

export interface ExecEvents {
  running(container: string): void;
  output(chunk: OutputChunk): void;
}

/** A command of a build that ended with another code than 0. */
export class StepFailed extends HavreError {
  readonly exitCode: number;

  constructor(op: ExecOp, exitCode: number) {
    super("failed-precondition", `The command '${op.args.join(" ")}' returned a non-zero code: ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/**
 * Runs a step's process in the tree `parent`, confined as a container, and returns what it changed as a layer. When it
 * fails or is aborted nothing is left of it: no process, mount, address or layer.
 */
export async function runStep(
  context: OpContext,
  op: ExecOp,
  parent: ImageLayer | undefined,
  inputs: MountInputs,
  events: ExecEvents,
  signal: AbortSignal,
): Promise<ImageLayer | undefined> {
  const { snapshots } = context;
  const id = context.newId();
  const key = `${STEP_KEY}${id}`;
  return Undoes.run(async (undoes) => {
    signal.throwIfAborted();
    await snapshots.prepare(key, parent?.chainId);
    undoes.add(() => snapshots.remove(key));
    // A runtime that cannot run the program may say so as if it were the program.
    let said = "";
    const heard: ExecEvents = {
      running: events.running,
      output: (chunk) => {
        if (op.foreign !== undefined) said = (said + Buffer.from(chunk.data).toString()).slice(-LAST_WORDS);
        events.output(chunk);
      },
    };
    const code = await runProcess(context, op, { id, key }, inputs, heard, signal);
    if (code !== 0) throw withoutEmulator(op, said) ?? new StepFailed(op, code);
    return await commitLayer(context, key, parent?.chainId, op.latest, signal);
  });
}

async function runProcess(
  context: OpContext,
  op: ExecOp,
  { id, key }: { readonly id: string; readonly key: string },
  inputs: MountInputs,
  events: ExecEvents,
  signal: AbortSignal,
): Promise<number> {
  const { snapshots, networks, runtime, confinement } = context;
  const folder = join(context.run, id);
  const bundle = join(context.bundles, id);
  await using held = new AsyncDisposableStack();
  for (const made of [folder, bundle]) {
    await mkdir(made, { recursive: true, mode: 0o700 });
    held.defer(() => rm(made, { recursive: true, force: true }));
  }
  const sandbox = await networks.attach(id, networkMode(op.network));
  held.defer(() => networks.forget(id));
  const rootfs = await snapshots.mount(key);
  held.defer(() => snapshots.unmount(key));
  const prepared = held.use(await prepareMounts(context, op, inputs, { rootfs, folder }, signal));
  const spec = await confinement.specFor({
    id,
    rootfs,
    sandbox,
    folder,
    op,
    mounts: prepared.mounts,
    env: prepared.env,
  });
  const ended = nextExit(context, id);
  held.use(ended);
  const stdio = { terminal: false, stdin: false, stdinOnce: false };
  held.defer(() => runtime.delete(id, confinement.runtime, bundle, true));
  await runtime
    .create({ id, runtime: confinement.runtime, bundle, spec, stdio, log: { maxSize: 0 } })
    .catch((error: unknown) => {
      throw withoutEmulator(op, error) ?? error;
    });
  const io = held.use(await runtime.attach(id, bundle, stdio));
  io.onOutput((chunk) => {
    events.output(chunk);
    return true;
  });
  await sandbox.recorded;
  signal.throwIfAborted();
  const kill = () => void runtime.kill(id, confinement.runtime, SIGKILL, true).catch(() => {});
  signal.addEventListener("abort", kill, { once: true });
  held.defer(() => signal.removeEventListener("abort", kill));
  await runtime.start(id, confinement.runtime).catch((error: unknown) => {
    throw withoutEmulator(op, error) ?? error;
  });
  events.running(id);
  const { code } = await ended.exit;
  await io.closed;
  signal.throwIfAborted();
  return code;
}

/** The kernel runs programs of other machines only where it was told by what (binfmt_misc). `why`: an error, or what the step said. */
function withoutEmulator({ foreign, args }: ExecOp, why: unknown): HavreError | undefined {
  const said = why instanceof HavreError ? why.message : why;
  if (foreign === undefined || typeof said !== "string" || !/exec format error/i.test(said)) return undefined;
  const message = `exec ${args[0]}: exec format error: this machine runs no programs for ${foreign}`;
  return new HavreError("failed-precondition", message, {
    cause: why,
    hint: "Register an emulator with the kernel (Debian: qemu-user-static), or build on --platform=$BUILDPLATFORM and copy the result",
  });
}

function networkMode(network: string): NetworkMode {
  if (network === "none" || network === "host") return { kind: network };
  return { kind: "networks", endpoints: [{ network }] };
}

function nextExit({ runtime }: OpContext, id: string): Disposable & { readonly exit: Promise<Exit> } {
  const { promise, resolve } = Promise.withResolvers<Exit>();
  const listening = runtime.onExit((exit) => {
    if (exit.id === id) resolve(exit);
  });
  return {
    exit: promise,
    [Symbol.dispose]: () => {
      listening[Symbol.dispose]();
      runtime.forgetExit(id);
    },
  };
}
