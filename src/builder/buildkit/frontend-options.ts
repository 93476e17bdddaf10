import { HavreError } from "../../base/mod.ts";
import { type Platform, parseGoBoolean } from "../../spec/mod.ts";
import type { AttestWish } from "../build-request.ts";
import type { CacheOption } from "../cache/options.ts";
import { platformsOf } from "../classic/classic-builds.ts";
import { NO_LIMITS } from "../graph/ops.ts";
import type { GraphOptions } from "../graph/options.ts";

type Attributes = Readonly<Record<string, string>>;

/** What a named context stands for. */
export type NamedContext =
  /** A folder of the client. */
  { readonly kind: "local"; readonly folder: string } | { readonly kind: "image"; readonly reference: string };

/** What a client asks of the Dockerfile frontend (BuildKit, `docs/reference/dockerfile-frontend`). */
export interface FrontendRequest {
  readonly filename: string;
  /** What the client calls the folders of the Dockerfile and of the context. */
  readonly dockerfileFolder: string;
  readonly contextFolder: string;
  /** An address instead of a folder. */
  readonly remoteContext: string | undefined;
  /** `pull`: get images anew. */
  readonly pull: boolean;
  /** A question about the Dockerfile instead of a build: `frontend.lint` and its like. */
  readonly subrequest: string | undefined;
  readonly contexts: ReadonlyMap<string, NamedContext>;
  readonly epoch: number | undefined;
  readonly cacheFrom: readonly CacheOption[];
  /** `BUILDKIT_INLINE_CACHE`, as before there were cache options. */
  readonly inlineCache: boolean;
  readonly attest: Omit<AttestWish, "told"> | undefined;
  /** One or several. */
  readonly platforms: readonly Platform[];
  readonly options: Omit<GraphOptions, "history">;
}

/** Reads frontend attributes. `invalid-argument` for values that have no meaning. */
export function readFrontendAttributes(attributes: Attributes, host: Platform): FrontendRequest {
  const text = (name: string) => attributes[name] || undefined;
  const buildArgs = withPrefix(attributes, "build-arg:");
  const remote = text("context");
  const asked = text("platform");
  const platforms = asked === undefined ? [host] : platformsOf(asked);
  return {
    filename: text("filename") ?? "Dockerfile",
    dockerfileFolder: text("dockerfilekey") ?? "dockerfile",
    contextFolder: localName(remote) ?? text("contextkey") ?? "context",
    remoteContext: localName(remote) === undefined ? remote : undefined,
    pull: text("image-resolve-mode") === "pull",
    subrequest: text("requestid"),
    contexts: readContexts(withPrefix(attributes, "context:")),
    cacheFrom: readCacheImports(text("cache-imports"), text("cache-from")),
    inlineCache: parseGoBoolean(buildArgs.BUILDKIT_INLINE_CACHE ?? "") ?? false,
    attest: readAttests(attributes),
    platforms,
    epoch: readEpoch(buildArgs.SOURCE_DATE_EPOCH),
    options: {
      target: text("target"),
      buildArgs,
      labels: withPrefix(attributes, "label:"),
      noCache: readNoCache(attributes["no-cache"]),
      platform: platforms[0] ?? host,
      buildPlatform: host,
      network: readNetwork(text("force-network-mode")),
      extraHosts: (text("add-hosts")?.split(",") ?? []).map((pair) => pair.replace("=", ":")),
      limits: {
        ...NO_LIMITS,
        shmSize: Number(text("shm-size") ?? 0),
        ulimits: (text("ulimit")?.split(",") ?? []).map(readUlimit),
        cgroupParent: text("cgroup-parent") ?? "",
      },
      namedContexts: [],
    },
  };
}

function withPrefix(attributes: Attributes, prefix: string): Record<string, string> {
  const entries = Object.entries(attributes).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]));
}

function localName(context: string | undefined): string | undefined {
  return context?.startsWith("local:") ? context.slice("local:".length) : undefined;
}

function readContexts(given: Record<string, string>): ReadonlyMap<string, NamedContext> {
  return new Map(
    Object.entries(given).map(([name, value]): [string, NamedContext] => {
      const folder = localName(value);
      if (folder !== undefined) return [name, { kind: "local", folder }];
      if (value.startsWith("docker-image://")) {
        return [name, { kind: "image", reference: value.slice("docker-image://".length) }];
      }
      throw new HavreError("not-implemented", `unsupported context source ${value.split(":")[0]} for ${name}`);
    }),
  );
}

/** JSON, or only references as older clients write them. `invalid-argument`. */
function readCacheImports(json: string | undefined, references: string | undefined): readonly CacheOption[] {
  if (json === undefined) {
    const names = references?.split(",").filter((name) => name !== "") ?? [];
    return names.map((ref) => ({ type: "registry", attributes: { ref } }));
  }
  try {
    const list = JSON.parse(json) as readonly { readonly Type: string; readonly Attrs?: Attributes | null }[];
    return list.map(({ Type, Attrs }) => ({ type: String(Type), attributes: Attrs ?? {} }));
  } catch (cause) {
    throw new HavreError("invalid-argument", `failed to unmarshal cache-imports: ${json}`, { cause });
  }
}

/**
 * `attest:provenance`, `attest:sbom`: `key=value,…` each. Clients ask by themselves for what is only to go where it costs nothing
 * (`inline-only`): of that nothing is said.
 */
function readAttests(attributes: Attributes): Omit<AttestWish, "told"> | undefined {
  const wish = (name: string) => {
    const text = attributes[`attest:${name}`];
    if (text === undefined) return undefined;
    const fields = new Map(text.split(",").map((field) => field.split("=", 2) as [string, string | undefined]));
    const off = fields.get("disabled") === "true" || fields.get("inline-only") === "true";
    return off ? undefined : fields;
  };
  const [how, bills] = [wish("provenance"), wish("sbom")];
  if (!how && !bills) return undefined;
  const [remote, commit, id] = [attributes["vcs:source"], attributes["vcs:revision"], how?.get("builder-id")];
  const provenance = {
    mode: how?.get("mode") === "min" ? "min" : "max",
    ...(id ? { builderId: id } : {}),
    source: { ...(remote ? { remote } : {}), ...(commit ? { commit } : {}) },
  } as const;
  return { ...(how ? { provenance } : {}), bills: bills ? ["spdx"] : [], inIndex: true };
}

/** Seconds since the epoch, made milliseconds. */
function readEpoch(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (!/^\d{1,12}$/.test(text)) throw new HavreError("invalid-argument", `invalid SOURCE_DATE_EPOCH: ${text}`);
  return Number(text) * 1000;
}

/** Present and empty: all stages. */
function readNoCache(text: string | undefined): boolean | readonly string[] {
  if (text === undefined) return false;
  if (text === "") return true;
  return parseGoBoolean(text) ?? text.split(",");
}

function readNetwork(mode: string | undefined): string {
  if (mode === undefined || mode === "sandbox" || mode === "default") return "bridge";
  if (mode === "host" || mode === "none") return mode;
  throw new HavreError("invalid-argument", `invalid netmode ${mode}`);
}

function readUlimit(text: string): GraphOptions["limits"]["ulimits"][number] {
  const [, name = "", soft = "", hard = soft] = /^(\w+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? [];
  if (name === "") throw new HavreError("invalid-argument", `failed to parse ulimit: ${text}`);
  return { name, soft: Number(soft), hard: Number(hard) };
}
