import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { HavreError } from "../../base/mod.ts";
import type { Transport } from "../../client/mod.ts";
import type { Places } from "../context.ts";
import type { Output } from "../output/output.ts";

const PATIENCE_MS = 20_000;
const LOOK_AGAIN_MS = 10;
const LOG_LINES_SHOWN = 10;

/**
 * Starts a daemon in the background because none answered, and waits until it does. Several commands at once start one:
 * the others wait for it. `unavailable` with the end of the daemon's log when it does not come up.
 */
export async function startDaemon(places: Places, transport: Transport, cause: HavreError, err: Output): Promise<void> {
  if (cause.kind === "permission-denied") throw notAllowed(transport, cause);
  const log = `${places.run}/daemon.log`;
  try {
    mkdirSync(places.run, { recursive: true });
  } catch (error) {
    throw notAllowed(transport, error);
  }
  const lockPath = `${places.run}/starting.lock`;
  using lock = takeLock(lockPath);
  // Another command may have started it between our first try and the lock.
  if (await answers(transport)) return;
  const exited = lock.mine ? (startUnit(places, err) ?? launch(places, log, err)) : undefined;
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await answers(transport))) {
    const code = exited?.code();
    if (code !== undefined) throw failed(`The daemon ended at once (exit code ${code})`, log);
    if (!lock.mine && !existsSync(lockPath) && !(await answers(transport)))
      throw failed("The daemon that another command started did not come up", log);
    if (Date.now() > deadline)
      throw failed(`The daemon did not answer on ${transport.address} within ${PATIENCE_MS / 1000} s`, log);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

function notAllowed(transport: Transport, cause: unknown): HavreError {
  return new HavreError(
    "permission-denied",
    `permission denied while trying to connect to the daemon at ${transport.address}`,
    {
      cause,
      hint: "Run the command as root, or name a daemon you may use with -H or --run",
    },
  );
}

const UNIT = "havre.service";
const UNIT_FOLDERS = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/**
 * Where systemd keeps the daemon, it starts it: beside one of ours the unit could not start. Undefined where it does not,
 * or for a daemon of other folders than the unit's.
 */
function startUnit({ root, run }: Places, err: Output): { code(): number | undefined } | undefined {
  if (root !== "/var/lib/havre" || run !== "/run/havre" || !existsSync("/run/systemd/system")) return undefined;
  if (!UNIT_FOLDERS.some((folder) => existsSync(`${folder}/${UNIT}`))) return undefined;
  err.line(`No daemon answers: starting ${UNIT} (log: journalctl -u havre)`);
  const { status, stderr } = spawnSync("systemctl", ["start", UNIT], { encoding: "utf8" });
  if (status === 0) return { code: () => undefined };
  throw new HavreError("unavailable", `systemd did not start ${UNIT}: ${stderr?.trim() || "no reason given"}`, {
    hint: `See journalctl -u havre; after it has failed often: systemctl reset-failed havre`,
  });
}

function launch(places: Places, log: string, err: Output): { code(): number | undefined } {
  err.line(`No daemon answers: starting one in the background (log: ${log})`);
  const fd = openSync(log, "a");
  const [program = "", ...before] = ownCommand();
  const child = spawn(program, [...before, "daemon", "--root", places.root, "--run", places.run], {
    detached: true,
    stdio: ["ignore", fd, fd],
    cwd: "/",
  });
  closeSync(fd);
  let code: number | undefined;
  child.on("exit", (status) => {
    code = status ?? -1;
  });
  child.on("error", () => {
    code = -1;
  });
  child.unref();
  return { code: () => code };
}

/** This very program; run from its sources, the runtime and the entry file. */
export function ownCommand(): string[] {
  const entry = process.argv[1] ?? "";
  return entry.startsWith("/$bunfs/") ? [process.execPath] : [process.execPath, entry];
}

async function answers(transport: Transport): Promise<boolean> {
  try {
    const connection = await transport.connect({ data() {}, drain() {}, end() {}, closed() {} });
    connection.close();
    return true;
  } catch {
    return false;
  }
}

/** A lock file holds its owner's process id, so that one left by a killed command does not count. */
function takeLock(path: string): { readonly mine: boolean } & Disposable {
  for (;;) {
    try {
      const fd = openSync(path, "wx");
      writeSync(fd, String(process.pid));
      closeSync(fd);
      return { mine: true, [Symbol.dispose]: () => rmSync(path, { force: true }) };
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      if (ownerLives(path)) return { mine: false, [Symbol.dispose]: () => {} };
      rmSync(path, { force: true });
    }
  }
}

/** An owner has a moment to write its id into the file it has just made. */
const GRACE_MS = 1000;

function ownerLives(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    if (pid === 0) return Date.now() - statSync(path).mtimeMs < GRACE_MS;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function failed(message: string, log: string): HavreError {
  const lines = (existsSync(log) ? readFileSync(log, "utf8") : "").trimEnd().split("\n").slice(-LOG_LINES_SHOWN);
  return new HavreError(
    "unavailable",
    [`${message}. The end of ${log}:`, ...lines.map((line) => `  ${line}`)].join("\n"),
    {
      hint: "Run 'havre daemon' in a terminal to see more, 'havre doctor' to check this host",
    },
  );
}
