import type { Client } from "../../client/mod.ts";
import { terminalSize } from "../output/terminal.ts";

const ATTEMPTS = 10;
const PAUSE_MS = 10;

/** Keeps a process's terminal as large as ours: at once, and whenever ours changes. `path` is its resize endpoint. */
export function followSize(client: Client, path: string): Disposable {
  const resize = async () => {
    const { rows, columns } = await terminalSize(1);
    if (rows > 0 || columns > 0) await client.run("POST", path, { query: { h: rows, w: columns } });
  };
  const onChange = () => void resize().catch(() => {});
  void resizeSoon(resize);
  process.on("SIGWINCH", onChange);
  return { [Symbol.dispose]: () => void process.off("SIGWINCH", onChange) };
}

/** The process may not have its terminal yet: a few attempts, each a little later. */
async function resizeSoon(resize: () => Promise<void>): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      return await resize();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, attempt * PAUSE_MS));
    }
  }
}
