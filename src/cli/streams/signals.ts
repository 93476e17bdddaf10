import type { Client } from "../../client/mod.ts";
import type { Output } from "../output/output.ts";

const FORWARDED = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGCONT", "SIGALRM"] as const;
/** So many interrupts say that the container does not listen. */
const PATIENCE = 3;
const EXIT_FORCED = 1;

/** Sends the signals this program gets to the container instead (`--sig-proxy`). */
export function forwardSignals(client: Client, id: string, err: Output): Disposable {
  let impatience = 0;
  const handlers = FORWARDED.map((signal) => {
    const handler = () => {
      if (signal === "SIGINT" || signal === "SIGTERM") impatience++;
      // A container that has ended meanwhile is not an error worth showing.
      client.run("POST", `/containers/${id}/kill`, { query: { signal } }).catch(() => {});
      if (impatience < PATIENCE) return;
      err.line(`got ${PATIENCE} SIGTERM/SIGINTs, forcefully exiting`);
      process.exit(EXIT_FORCED);
    };
    process.on(signal, handler);
    return [signal, handler] as const;
  });
  return {
    [Symbol.dispose]: () => {
      for (const [signal, handler] of handlers) process.off(signal, handler);
    },
  };
}
