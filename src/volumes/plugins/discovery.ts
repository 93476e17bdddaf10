import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, HavreError } from "../../base/mod.ts";

/** Where volume plug-ins are looked for, as Docker does (docs: "Docker Plugin API", Plugin discovery). */
export interface PluginFolders {
  /** Sockets, `NAME.sock` or `NAME/NAME.sock`. */
  readonly sockets: string;
  /** `NAME.spec` and `NAME.json`. */
  readonly specs: readonly string[];
}

export const DOCKER_PLUGIN_FOLDERS: PluginFolders = {
  sockets: "/run/docker/plugins",
  specs: ["/etc/docker/plugins", "/usr/lib/docker/plugins"],
};

/** How a plug-in is reached. */
export interface PluginAddress {
  readonly name: string;
  /** `unix:///path`, `tcp://host:port`, `http://…`, `https://…`. */
  readonly url: string;
  readonly tls?: {
    readonly ca?: string;
    readonly certificate?: string;
    readonly key?: string;
    readonly insecure: boolean;
  };
}

/** The plug-in of this name: a socket before a specification. undefined when there is none; `invalid-argument` when what describes it is wrong. */
export function findPlugin(folders: PluginFolders, name: string): PluginAddress | undefined {
  // It becomes part of a path.
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.:-]*$/.test(name)) return undefined;
  for (const path of [join(folders.sockets, `${name}.sock`), join(folders.sockets, name, `${name}.sock`)])
    if (statSync(path, { throwIfNoEntry: false })?.isSocket()) return { name, url: `unix://${path}` };
  for (const folder of folders.specs) {
    const spec = readIfAny(join(folder, `${name}.spec`));
    if (spec !== undefined) return { name, url: spec.trim() };
    const json = readIfAny(join(folder, `${name}.json`));
    if (json !== undefined) return parseSpecification(name, json, join(folder, `${name}.json`));
  }
  return undefined;
}

/** Names of all plug-ins that are described somewhere. */
export function pluginNames({ sockets, specs }: PluginFolders): readonly string[] {
  const names = listIfAny(sockets).flatMap((entry) => {
    if (entry.endsWith(".sock")) return [entry.slice(0, -".sock".length)];
    const inner = statSync(join(sockets, entry, `${entry}.sock`), { throwIfNoEntry: false });
    return inner?.isSocket() ? [entry] : [];
  });
  const described = specs.flatMap(listIfAny).flatMap((entry) => /^(.+)\.(?:spec|json)$/.exec(entry)?.[1] ?? []);
  return [...new Set([...names, ...described])].sort();
}

function parseSpecification(name: string, text: string, path: string): PluginAddress {
  const wrong = (why: string) => new HavreError("invalid-argument", `Plug-in ${name}: ${path} ${why}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new HavreError("invalid-argument", `Plug-in ${name}: ${path} is not JSON`, { cause });
  }
  if (!isRecord(parsed) || typeof parsed.Addr !== "string") throw wrong("has no Addr");
  const { Addr: url, TLSConfig: tls } = parsed;
  if (!isRecord(tls)) return { name, url };
  const file = (key: string) => {
    const value = tls[key];
    return typeof value === "string" && value !== "" ? readFileSync(value, "utf8") : undefined;
  };
  const [ca, certificate, key] = [file("CAFile"), file("CertFile"), file("KeyFile")];
  return {
    name,
    url,
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined ? {} : { certificate }),
      ...(key === undefined ? {} : { key }),
      insecure: tls.InsecureSkipVerify === true,
    },
  };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readIfAny(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function listIfAny(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
