import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type LogLevel, lineLogger, systemClock } from "../base/mod.ts";
import { FileContentStore } from "../content/mod.ts";
import { DistributionApi, listen, openAccess, Pins, Registry } from "../registry/mod.ts";
import { SqliteStore } from "../store/mod.ts";
import { crashOnBugs, untilAskedToEnd } from "./crash.ts";

export interface RegistryServerOptions {
  readonly root: string;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly logLevel: LogLevel;
}

/** Runs a registry until it is asked to end. It may be killed at any instruction, as the engine may. */
export async function runRegistry(options: RegistryServerOptions): Promise<void> {
  const log = lineLogger((line) => process.stderr.write(line), options.logLevel);
  crashOnBugs(log);
  mkdirSync(options.root, { recursive: true, mode: 0o700 });
  const store = new SqliteStore(join(options.root, "registry.db"));
  const content = new FileContentStore(options.root);
  content.recover();
  const context = { store, content, clock: systemClock, log, pins: new Pins() };
  const registry = new Registry(context, { admit: () => {}, immutable: () => false });
  const api = new DistributionApi(registry, openAccess, log);
  const server = listen(options, (request) => api.answer(request));
  log.info("registry ready", { address: `${server.host}:${server.port}` });
  await untilAskedToEnd();
  await server[Symbol.asyncDispose]();
  await registry.uploads.close();
  store.close();
}
