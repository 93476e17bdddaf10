import { HavreError } from "../../../base/mod.ts";
import type { CacheEntry, ClassicBuild } from "../../../builder/mod.ts";
import { ProgressStream, sendJson, sendStatus } from "../answers.ts";
import { errorAnswer } from "../errors.ts";
import type { Exchange, Route } from "../exchange.ts";
import { parseFilters } from "../filters.ts";
import type { Query } from "../query.ts";
import { registriesOf } from "../registry-auth.ts";
import { parseMoment } from "../relative-time.ts";
import type { UseCases } from "../use-cases.ts";

async function build(exchange: Exchange, { builds }: UseCases): Promise<void> {
  const { query, request, signal } = exchange;
  const asked = { ...readRequest(query), credentials: registriesOf(exchange) };
  const quiet = query.flag("q");
  const progress = new ProgressStream(exchange);
  try {
    const remote = query.optional("remote");
    const context = remote === undefined || remote === "client-session" ? request : { remote };
    const id = await builds.build(
      asked,
      context,
      {
        say: (stream) => {
          if (!quiet) progress.send({ stream });
        },
        progress: (message) => {
          if (!quiet) progress.send(message);
        },
        made: (ID) => progress.send({ aux: { ID } }),
      },
      signal,
    );
    if (quiet) progress.send({ stream: `${id}\n` });
    progress.end();
  } catch (error) {
    if (!progress.started) throw error;
    const code = exitCodeOf(error);
    const { message } = errorAnswer(error);
    progress.send({ errorDetail: { ...(code === undefined ? {} : { code }), message }, error: message });
    progress.end();
  }
}

/** A failed step's code is the client's own exit code. */
function exitCodeOf(error: unknown): number | undefined {
  return error instanceof HavreError && "exitCode" in error && typeof error.exitCode === "number"
    ? error.exitCode
    : undefined;
}

function readRequest(query: Query): Omit<ClassicBuild, "credentials"> {
  const dockerfile = query.optional("dockerfile");
  const platform = query.optional("platform");
  const target = query.optional("target");
  const buildId = query.optional("buildid");
  return {
    dockerfile,
    ...(buildId ? { buildId } : {}),
    tags: query.all("t"),
    pull: query.flag("pull"),
    removes: query.flag("rm", true),
    squash: query.flag("squash"),
    cacheFrom: readList(query.optional("cachefrom"), "cachefrom"),
    options: {
      target,
      buildArgs: readArgs(query.optional("buildargs")),
      labels: readMap(query.optional("labels")),
      noCache: query.flag("nocache"),
      network: readNetwork(query.text("networkmode")),
      extraHosts: query.all("extrahosts").flatMap((text) => text.split(",")),
      ...(platform === undefined ? {} : { platform }),
      limits: {
        shmSize: query.integer("shmsize") ?? 0,
        ulimits: readUlimits(query.optional("ulimits")),
        memory: query.integer("memory") ?? 0,
        memorySwap: query.integer("memswap") ?? 0,
        cpuShares: query.integer("cpushares") ?? 0,
        cpuPeriod: query.integer("cpuperiod") ?? 0,
        cpuQuota: query.integer("cpuquota") ?? 0,
        cpusetCpus: query.text("cpusetcpus"),
        cpusetMems: query.text("cpusetmems"),
        cgroupParent: query.text("cgroupparent"),
      },
    },
  };
}

function readNetwork(mode: string): string {
  if (mode === "" || mode === "default") return "bridge";
  if (!mode.startsWith("container:")) return mode;
  throw new HavreError("not-implemented", "A build cannot use the network of a container", {
    hint: "Use a network's name, host or none",
  });
}

/** A value of null stands for one the client's environment does not have. */
function readArgs(text: string | undefined): Readonly<Record<string, string>> {
  const entries = Object.entries(readObject(text, "build args"));
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function readMap(text: string | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(readObject(text, "labels")).map(([key, value]) => [key, String(value)]));
}

/** JSON, as all clients write it; a client without images to name writes `null`. */
function readList(text: string | undefined, what: string): readonly string[] {
  const value = readJson(text, what) ?? [];
  return Array.isArray(value) ? value.map(String) : [];
}

function readUlimits(text: string | undefined): ClassicBuild["options"]["limits"]["ulimits"] {
  const value = readJson(text, "ulimits");
  if (!Array.isArray(value)) return [];
  return value.map((one: Partial<Record<"Name" | "Soft" | "Hard", unknown>>) => ({
    name: String(one.Name),
    soft: Number(one.Soft),
    hard: Number(one.Hard),
  }));
}

function readObject(text: string | undefined, what: string): Readonly<Record<string, unknown>> {
  const value = readJson(text, what);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function readJson(text: string | undefined, what: string): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HavreError(
      "invalid-argument",
      `error reading ${what}: ${cause instanceof Error ? cause.message : cause}`,
      {
        cause,
      },
    );
  }
}

const TYPES: Readonly<Record<string, CacheEntry["kind"]>> = { regular: "step", "exec.cachemount": "folder" };

async function prune(exchange: Exchange, { buildCache }: UseCases): Promise<void> {
  const { query } = exchange;
  const filters = parseFilters(query.text("filters"));
  const [age] = [...filters.values("until"), ...filters.values("unused-for")];
  const ids = filters.values("id");
  const types = filters.values("type").flatMap((type) => TYPES[type] ?? []);
  const keep = query.integer("keep-storage") ?? query.integer("reserved-space");
  const { removed, reclaimed } = await buildCache.prune({
    all: query.flag("all"),
    ...(age === undefined ? {} : { until: parseMoment(age, Date.now()) }),
    ...(keep === undefined || keep === 0 ? {} : { keep }),
    ...(ids.length === 0 ? {} : { ids }),
    ...(filters.values("type").length === 0 ? {} : { kinds: types }),
  });
  sendJson(exchange, 200, {
    CachesDeleted: removed.map(({ id }) => id.replace(/^sha256:/, "").slice(0, 25)),
    SpaceReclaimed: reclaimed,
  });
}

async function cancel(exchange: Exchange, { builds }: UseCases): Promise<void> {
  const id = exchange.query.text("id");
  if (id === "") throw new HavreError("invalid-argument", "build ID not provided");
  builds.cancel(id);
  sendStatus(exchange, 200);
}

/** Building images as before BuildKit. */
export function buildRoutes(useCases: UseCases): readonly Route[] {
  return [
    { method: "POST", path: "/build", handle: (exchange) => build(exchange, useCases) },
    { method: "POST", path: "/build/cancel", handle: (exchange) => cancel(exchange, useCases) },
    { method: "POST", path: "/build/prune", handle: (exchange) => prune(exchange, useCases) },
  ];
}
