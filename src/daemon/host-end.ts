import { spawnSync } from "node:child_process";

/**
 * Whether this daemon ends because the host does. Containers go on without a daemon, but not without a host: left to
 * systemd's last round of signals, each of their processes would be told to end at once, whatever signal was agreed
 * with it. Source: systemctl(1), is-system-running; systemd.exec(5), $INVOCATION_ID.
 */
export function hostGoesDown(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  if (env.INVOCATION_ID === undefined) return false;
  return spawnSync("systemctl", ["is-system-running"], { encoding: "utf8" }).stdout?.trim() === "stopping";
}
