import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "./process.ts";

// Name "ann", password "secret".
const HTPASSWD = "ann:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";

/** Debian's docker-registry on a port of loopback. */
export class DebianRegistry {
  readonly host: string;
  readonly folder: string;
  readonly #process: ChildProcess;

  constructor(folder: string, port: number, auth: boolean) {
    this.host = `127.0.0.1:${port}`;
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "htpasswd"), HTPASSWD);
    const lines = [
      "version: 0.1",
      "log: {level: error, accesslog: {disabled: true}}",
      `storage: {filesystem: {rootdirectory: ${folder}/data}, delete: {enabled: true}}`,
      `http: {addr: "${this.host}"}`,
      ...(auth ? [`auth: {htpasswd: {realm: test, path: ${folder}/htpasswd}}`] : []),
    ];
    writeFileSync(join(folder, "config.yml"), `${lines.join("\n")}\n`);
    this.#process = spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: "ignore" });
  }

  async ready(): Promise<void> {
    await until(
      "the registry answers",
      async () => (await fetch(`http://${this.host}/v2/`).catch(() => undefined)) !== undefined,
    );
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    if (this.#process.kill()) await ended;
  }
}
