/**
 * The map: what each folder of `src/` is for and which others it may import. `base` and `spec` are open to all; other
 * folders are reached only through their `mod.ts`. `layers.test.ts` holds the sources to it, and the picture in
 * `docs/architecture.md` is made from it.
 */
export interface Layer {
  readonly what: string;
  /** Folders it may import, besides `base` and `spec`. */
  readonly imports: readonly string[];
  /** Folders of which it may import types only: it names their abilities and is given them. */
  readonly interfaces?: readonly string[];
  /** Not begun; the folder may be absent. */
  readonly later?: true;
}

/** What the API adapts and the daemon wires. */
const USE_CASES: readonly string[] = [
  "store",
  "policy",
  "content",
  "snapshots",
  "runtime",
  "networks",
  "volumes",
  "identities",
  "images",
  "engine",
  "builder",
  "registry",
  "catalogue",
  "compose",
  "cluster",
  "delivery",
  "telemetry",
];

/** From the ground up: a folder's imports stand above it. */
export const LAYERS: Readonly<Record<string, Layer>> = {
  base: { what: "errors, digests, ids, clock, async helpers, disposal, log", imports: [] },
  spec: {
    what: "the standards as types and validators: OCI image, runtime, distribution; references; Docker API; Compose",
    imports: [],
  },
  kernel: {
    what: "the only door to Linux: mounts, namespaces, cgroups v1/v2, netlink, nftables, xattrs, seccomp profiles",
    imports: [],
  },
  store: { what: "the object store: view, update, watch, leases", imports: [] },
  policy: { what: "pure decisions: capabilities, profiles, practices, admission, each with `explain`", imports: [] },
  content: { what: "blobs by digest: ingest, verify, read, collect", imports: ["store"] },
  snapshots: { what: "layers as trees; answers with mounts", imports: ["kernel", "store"] },
  runtime: {
    what: "OCI spec + mounts → process, through conmon and crun/runc; survives the daemon",
    imports: ["kernel", "policy"],
  },
  networks: { what: "networks, addresses, ports, names", imports: ["kernel", "store"] },
  volumes: { what: "durable data and its drivers", imports: ["kernel", "snapshots", "store"] },
  identities: { what: "user ids of containers, and files shown with right owners", imports: ["kernel", "store"] },
  images: {
    what: "names → manifests; pull, push, load, save, commit, diff, history",
    imports: ["content", "snapshots", "store", "policy"],
  },
  engine: {
    what: "containers on one host: the use-cases",
    imports: ["runtime", "images", "networks", "volumes", "identities", "snapshots", "store", "policy"],
  },
  builder: {
    what: "Dockerfile → graph → solver → operations",
    imports: ["images", "snapshots", "content", "runtime", "networks", "kernel", "store"],
  },
  registry: { what: "OCI distribution server", imports: ["content", "store", "policy"] },
  catalogue: {
    what: "base images made from distribution packages, owned by operators",
    imports: ["images", "builder", "content", "snapshots"],
  },
  compose: { what: "files → model → plan → steps", imports: [], interfaces: ["engine", "builder"] },
  cluster: {
    what: "model, orchestrators, scheduler, dispatcher, agent",
    imports: ["store", "policy"],
    interfaces: ["engine"],
    later: true,
  },
  delivery: {
    what: "stages, stamps, promotion, rebuild on base change",
    imports: [],
    interfaces: ["builder", "registry", "cluster", "compose"],
    later: true,
  },
  telemetry: { what: "log drivers, metrics, exporters", imports: ["store"], interfaces: ["engine"], later: true },
  client: { what: "typed HTTP client; transport injected", imports: [] },
  api: {
    what: "`docker/` and `havre/`: parse, authorise, call one use-case, write",
    imports: [],
    interfaces: USE_CASES,
  },
  cli: { what: "`commands/<noun>/<verb>.ts`, output, progress", imports: ["client", "compose"] },
  console: { what: "the web page", imports: ["client"], later: true },
  daemon: {
    what: "composition root: constructs and wires",
    imports: ["kernel", ...USE_CASES, "client", "api", "console"],
  },
};

/** Open to every folder; `base` itself imports nothing, `spec` only `base`. */
export const COMMON: readonly string[] = ["base", "spec"];

/** What the program's entry, `src/main.ts`, may import. */
export const ENTRY_IMPORTS: readonly string[] = ["base", "cli", "daemon", "kernel"];

/** Bun's own modules stay behind small adapters in the folders named, so that Bun stays replaceable. */
export const BUN_MODULES: Readonly<Record<string, readonly string[]>> = {
  "bun:ffi": ["kernel"],
  "bun:sqlite": ["store"],
};
