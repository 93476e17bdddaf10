import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../base/mod.ts";
import { makeFifo } from "../kernel/mod.ts";

const NAME = "alive";

/**
 * A named pipe whose writing end a supervisor holds for life: a later daemon, which is not its parent, reads end of file
 * when it is gone. Returns the writing end; the caller closes it once the supervisor has it.
 */
export function makeLivenessPipe(bundle: string): number {
  const path = join(bundle, NAME);
  makeFifo(path, 0o600);
  // Without a reader the writing end could not be opened.
  const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } finally {
    closeSync(reading);
  }
}

/** Calls `ended` once nobody holds the bundle's pipe. Disposal ends the watch. */
export function watchLiveness(bundle: string, ended: () => void): Disposable {
  let fd: number;
  try {
    fd = openSync(join(bundle, NAME), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    queueMicrotask(ended);
    return { [Symbol.dispose]: () => {} };
  }
  const reader = Bun.file(fd).stream().getReader();
  let cancelled = false;
  const watching = async () => {
    try {
      while (!(await reader.read()).done);
    } finally {
      closeSync(fd);
    }
    if (!cancelled) ended();
  };
  void watching();
  return {
    [Symbol.dispose]: () => {
      cancelled = true;
      void reader.cancel();
    },
  };
}
