import { chmodSync, mkdirSync, readFileSync, rmSync, watch } from "node:fs";
import { dirname, join } from "node:path";
import { HavreError, type Logger, type LogLevel, lineLogger, systemClock, toHavreError } from "../base/mod.ts";
import { FileContentStore } from "../content/mod.ts";
import { defaultRegistrySettings, UpstreamRegistry } from "../images/mod.ts";
import {
  type HttpServer,
  listen,
  listenUnix,
  type Mirror,
  noSettings,
  RegistryService,
  type RegistrySettings,
  readSettings,
  type TlsFiles,
  type Upstream,
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
  /** Path of the users' file, where no settings name one; without, whoever reaches the registry may do everything. */
  readonly htpasswd?: string;
  /** Path of the settings' file. */
  readonly config?: string;
}

/** Renewal writes several files: they are read once it is quiet. */
const SETTLE_MS = 200;

/** Runs a registry until it is asked to end. It may be killed at any instruction, as the engine may. */
export async function runRegistry(options: RegistryServerOptions): Promise<void> {
  const log = lineLogger((line) => process.stderr.write(line), options.logLevel);
  crashOnBugs(log);
  const settings = settingsOf(options);
  const tls = options.tls && readTls(options.tls);
  mkdirSync(options.root, { recursive: true, mode: 0o700 });
  const store = new SqliteStore(join(options.root, "registry.db"));
  const content = new FileContentStore(options.root);
  content.recover();
  let server: HttpServer | undefined;
  const address = () => `${tls ? "https" : "http"}://${options.host}:${server?.port ?? options.port}`;
  const { root } = options;
  const parts = { root, store, content, clock: systemClock, log, verifyPassword, connect, address };
  const service = new RegistryService(parts, settings);
  server = listen({ host: options.host, port: options.port, ...(tls ? { tls } : {}) }, (request) =>
    service.answer(request),
  );
  const owner = listenForOwner(root, service);
  await service.start();
  const watching = watchFiles(options, server, service, log);
  log.info("registry ready", { address: `${server.host}:${server.port}` });
  await untilAskedToEnd();
  watching[Symbol.dispose]();
  await Promise.all([server[Symbol.asyncDispose](), owner[Symbol.asyncDispose]()]);
  await service[Symbol.asyncDispose]();
  store.close();
}

function settingsOf({ config, htpasswd }: RegistryServerOptions): RegistrySettings {
  if (config === undefined) return htpasswd === undefined ? noSettings : { ...noSettings, users: htpasswd };
  const settings = readSettings(config);
  if (htpasswd === undefined) return settings;
  if (settings.users !== undefined || settings.trust) {
    throw new HavreError("invalid-argument", `${config} says who signs in: leave out --htpasswd`);
  }
  return { ...settings, users: htpasswd };
}

/** The certificate and its key, as they are now. `invalid-argument` naming the file. */
function readTls({ cert, key }: { readonly cert: string; readonly key: string }): TlsFiles {
  const read = (path: string) => {
    try {
      return readFileSync(path, "utf8");
    } catch (cause) {
      throw new HavreError("invalid-argument", `${path} cannot be read: ${toHavreError(cause).message}`, { cause });
    }
  };
  return { cert: read(cert), key: read(key) };
}

/** Who may open the registry's folder may do everything with it: `havre registry gc` comes this way. */
function listenForOwner(root: string, service: RegistryService): AsyncDisposable {
  const path = join(root, "registry.sock");
  rmSync(path, { force: true }); // Of a registry that was killed: another cannot be there, the store is ours.
  const socket = listenUnix(path, (request) => service.answerOwner(request));
  chmodSync(path, 0o600);
  return socket;
}

/** Goes by the files as they are after each change of one, and on SIGHUP. What cannot be used is told and not followed. */
function watchFiles(
  options: RegistryServerOptions,
  server: HttpServer,
  service: RegistryService,
  log: Logger,
): Disposable {
  const { tls, config } = options;
  let seen = JSON.stringify(contents(options));
  const reload = async (): Promise<void> => {
    const now = JSON.stringify(contents(options));
    if (now === seen) return;
    seen = now;
    try {
      if (tls) server.replaceTls(readTls(tls));
      if (config !== undefined) await service.replace(settingsOf(options));
      log.info("files read again", { config, ...tls });
    } catch (error) {
      log.error("files not followed, the registry goes on as before", { error });
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void reload(), SETTLE_MS);
  };
  // Folders, since files are replaced by others of the same name, or are links to such.
  const paths = [...(tls ? [tls.cert, tls.key] : []), ...(config === undefined ? [] : [config])];
  const watchers = [...new Set(paths.map(dirname))].map((folder) => watch(folder, soon));
  const onSignal = () => {
    seen = "";
    soon();
  };
  process.on("SIGHUP", onSignal);
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      process.off("SIGHUP", onSignal);
      for (const watcher of watchers) watcher.close();
    },
  };
}

function contents({ tls, config }: RegistryServerOptions): readonly string[] {
  return [tls?.cert, tls?.key, config].map((path) => {
    try {
      return path === undefined ? "" : readFileSync(path, "utf8");
    } catch {
      return ""; // Between two renames there may be none.
    }
  });
}

/** A mirror's upstream, by the client that pulls images. */
function connect({ upstream, user, passwordFile }: Mirror): Upstream {
  const credentials =
    user === undefined || passwordFile === undefined
      ? {}
      : { username: user, password: readFileSync(passwordFile, "utf8").trimEnd() };
  const registry = new UpstreamRegistry(upstream, credentials, defaultRegistrySettings, systemClock);
  return {
    async manifest(path, reference) {
      const found = await registry.manifest(path, reference);
      return found && { digest: found.descriptor.digest, mediaType: found.descriptor.mediaType, bytes: found.bytes };
    },
    digestOf: (path, tag) => registry.digestOf(path, tag),
    blob: (path, digest, offset) => registry.blob(path, digest, offset),
    tags: (path) => registry.tags(path),
    referrers: (path, digest) => registry.referrers(path, digest),
  };
}
