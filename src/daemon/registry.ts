import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type LogLevel, lineLogger, systemClock } from "../base/mod.ts";
import { FileContentStore } from "../content/mod.ts";
import {
  DistributionApi,
  HtpasswdAccess,
  listen,
  openAccess,
  Pins,
  Registry,
  verifyPassword,
} from "../registry/mod.ts";
import { SqliteStore } from "../store/mod.ts";
import { crashOnBugs, untilAskedToEnd } from "./crash.ts";

export interface RegistryServerOptions {
  readonly root: string;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly logLevel: LogLevel;
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Path of the users' file; without one, whoever reaches the registry may do everything. */
  readonly htpasswd?: string;
}

/** Runs a registry until it is asked to end. It may be killed at any instruction, as the engine may. */
export async function runRegistry(options: RegistryServerOptions): Promise<void> {
  const log = lineLogger((line) => process.stderr.write(line), options.logLevel);
  crashOnBugs(log);
  const access = options.htpasswd === undefined ? openAccess : new HtpasswdAccess(options.htpasswd, verifyPassword);
  const tls = options.tls && {
    cert: readFileSync(options.tls.cert, "utf8"),
    key: readFileSync(options.tls.key, "utf8"),
  };
  mkdirSync(options.root, { recursive: true, mode: 0o700 });
  const store = new SqliteStore(join(options.root, "registry.db"));
  const content = new FileContentStore(options.root);
  content.recover();
  const context = { store, content, clock: systemClock, log, pins: new Pins() };
  const registry = new Registry(context, { admit: () => {}, immutable: () => false });
  const api = new DistributionApi(registry, access, log);
  const server = listen({ host: options.host, port: options.port, ...(tls ? { tls } : {}) }, (request) =>
    api.answer(request),
  );
  log.info("registry ready", { address: `${server.host}:${server.port}` });
  await untilAskedToEnd();
  await server[Symbol.asyncDispose]();
  await registry.uploads.close();
  store.close();
}
