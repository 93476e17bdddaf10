import type { Flags } from "../args/flags.ts";
import type { Command } from "../command.ts";

/** A command that is loaded when it is called for, or a group of them. */
export type Entry = Leaf | Group;
export interface Leaf {
  readonly load: () => Promise<{ readonly command: Command }>;
  /** Another name of a command listed elsewhere: left out of help. */
  readonly hidden?: boolean;
  /** The command of a Compose project that is meant where the word names no container but a service. */
  readonly ofService?: Leaf["load"];
  /** The word alone means the command itself, in a project's folder too. */
  readonly alone?: true;
}
export interface Group {
  readonly summary: string;
  readonly commands: Readonly<Record<string, Entry>>;
  /** Commands that help tells of first. */
  readonly common?: readonly string[];
  /** Flags that may stand before a command's name, and are given on to it by their long names. */
  readonly flags?: () => Promise<Flags>;
}

const leaf = (load: Leaf["load"]): Leaf => ({ load });
const orService = (entry: Leaf, verb: Leaf): Leaf => ({ ...entry, ofService: verb.load });
const alias = (load: Leaf["load"]): Leaf => ({ load, hidden: true });

const attach = leaf(() => import("./container/attach.ts"));
const commit = leaf(() => import("./container/commit.ts"));
const cp = leaf(() => import("./container/cp.ts"));
const create = leaf(() => import("./container/create.ts"));
const diff = leaf(() => import("./container/diff.ts"));
const exec = leaf(() => import("./container/exec.ts"));
const exportContainer = leaf(() => import("./container/export.ts"));
const kill = leaf(() => import("./container/kill.ts"));
const logs = leaf(() => import("./container/logs.ts"));
const pause = leaf(() => import("./container/pause.ts"));
const port = leaf(() => import("./container/port.ts"));
const listContainers = () => import("./container/ls.ts");
const rename = leaf(() => import("./container/rename.ts"));
const restart = leaf(() => import("./container/restart.ts"));
const rm = leaf(() => import("./container/rm.ts"));
const run = leaf(() => import("./container/run.ts"));
const start = leaf(() => import("./container/start.ts"));
const stats = leaf(() => import("./container/stats.ts"));
const stop = leaf(() => import("./container/stop.ts"));
const top = leaf(() => import("./container/top.ts"));
const unpause = leaf(() => import("./container/unpause.ts"));
const update = leaf(() => import("./container/update.ts"));
const wait = leaf(() => import("./container/wait.ts"));
const history = leaf(() => import("./image/history.ts"));
const importImage = leaf(() => import("./image/import.ts"));
const listImages = () => import("./image/ls.ts");
const load = leaf(() => import("./image/load.ts"));
const removeImage = () => import("./image/rm.ts");
const pull = leaf(() => import("./image/pull.ts"));
const push = leaf(() => import("./image/push.ts"));
const save = leaf(() => import("./image/save.ts"));
const tag = leaf(() => import("./image/tag.ts"));
const events = leaf(() => import("./system/events.ts"));
const info = leaf(() => import("./system/info.ts"));

const container: Group = {
  summary: "Manage containers",
  commands: {
    attach,
    commit,
    cp,
    create,
    diff,
    exec,
    export: exportContainer,
    inspect: leaf(() => import("./container/inspect.ts")),
    kill,
    logs,
    ls: leaf(listContainers),
    ps: alias(listContainers),
    list: alias(listContainers),
    pause,
    port,
    prune: leaf(() => import("./container/prune.ts")),
    rename,
    restart,
    rm,
    remove: alias(rm.load),
    run,
    start,
    stats,
    stop,
    top,
    unpause,
    update,
    wait,
  },
};

const registry: Group = {
  summary: "Serve images to other engines",
  commands: {
    gc: leaf(() => import("./registry/gc.ts")),
    retain: leaf(() => import("./registry/retain.ts")),
    serve: leaf(() => import("./registry/serve.ts")),
  },
};

const build = leaf(() => import("./image/build.ts"));
const image: Group = {
  summary: "Manage images",
  commands: {
    build,
    history,
    import: importImage,
    inspect: leaf(() => import("./image/inspect.ts")),
    load,
    log: leaf(() => import("./image/log.ts")),
    provenance: leaf(() => import("./image/provenance.ts")),
    sbom: leaf(() => import("./image/sbom.ts")),
    ls: leaf(listImages),
    list: alias(listImages),
    prune: leaf(() => import("./image/prune.ts")),
    pull,
    push,
    rm: leaf(removeImage),
    remove: alias(removeImage),
    rollback: leaf(() => import("./image/rollback.ts")),
    save,
    tag,
    verify: leaf(() => import("./image/verify.ts")),
  },
};

const removeNetwork = () => import("./network/rm.ts");
const listNetworks = () => import("./network/ls.ts");
const network: Group = {
  summary: "Manage networks",
  commands: {
    advise: leaf(() => import("./network/advise.ts")),
    connect: leaf(() => import("./network/connect.ts")),
    create: leaf(() => import("./network/create.ts")),
    disconnect: leaf(() => import("./network/disconnect.ts")),
    inspect: leaf(() => import("./network/inspect.ts")),
    ls: leaf(listNetworks),
    list: alias(listNetworks),
    prune: leaf(() => import("./network/prune.ts")),
    rm: leaf(removeNetwork),
    remove: alias(removeNetwork),
  },
};

const listCatalogue = () => import("./catalogue/ls.ts");
const catalogue: Group = {
  summary: "Manage base images made from distribution packages",
  commands: {
    build: leaf(() => import("./catalogue/build.ts")),
    list: leaf(listCatalogue),
    ls: alias(listCatalogue),
    outdated: leaf(() => import("./catalogue/outdated.ts")),
    verify: leaf(() => import("./catalogue/verify.ts")),
  },
};

const system: Group = {
  summary: "Manage Havre",
  commands: {
    df: leaf(() => import("./system/df.ts")),
    events,
    info,
    prune: leaf(() => import("./system/prune.ts")),
  },
};

const builder: Group = {
  summary: "Manage builds",
  commands: {
    build,
    du: leaf(() => import("./builder/du.ts")),
    prune: leaf(() => import("./builder/prune.ts")),
  },
};

const app: Group = {
  summary: "Take applications elsewhere",
  commands: {
    export: leaf(() => import("./app/export.ts")),
    import: leaf(() => import("./app/import.ts")),
  },
};

const volume: Group = {
  summary: "Manage volumes",
  commands: {
    backup: leaf(() => import("./volume/backup.ts")),
    backups: leaf(() => import("./volume/backups.ts")),
    clone: leaf(() => import("./volume/clone.ts")),
    copy: leaf(() => import("./volume/copy.ts")),
    create: leaf(() => import("./volume/create.ts")),
    inspect: leaf(() => import("./volume/inspect.ts")),
    ls: leaf(() => import("./volume/ls.ts")),
    list: alias(() => import("./volume/ls.ts")),
    prune: leaf(() => import("./volume/prune.ts")),
    restore: leaf(() => import("./volume/restore.ts")),
    rm: leaf(() => import("./volume/rm.ts")),
    remove: alias(() => import("./volume/rm.ts")),
    schedule: leaf(() => import("./volume/schedule.ts")),
    schedules: leaf(() => import("./volume/schedules.ts")),
    snapshot: leaf(() => import("./volume/snapshot.ts")),
    unschedule: leaf(() => import("./volume/unschedule.ts")),
    verify: leaf(() => import("./volume/verify.ts")),
  },
};

const up = leaf(() => import("./compose/up.ts"));
const down = leaf(() => import("./compose/down.ts"));
const config = leaf(() => import("./compose/config.ts"));
const watch = leaf(() => import("./compose/watch.ts"));

const composeExec = leaf(() => import("./compose/exec.ts"));
const composeLogs = leaf(() => import("./compose/logs.ts"));
const composePort = leaf(() => import("./compose/port.ts"));
const composeTop = leaf(() => import("./compose/top.ts"));

const compose: Group = {
  summary: "Define and run applications of many containers",
  flags: async () => (await import("./compose/flags.ts")).projectFlags,
  commands: {
    config,
    convert: alias(config.load),
    up,
    alpha: {
      summary: "Experiments of docker compose",
      commands: {
        publish: leaf(() => import("./compose/publish.ts")),
        viz: leaf(() => import("./compose/viz.ts")),
      },
    },
    attach: leaf(() => import("./compose/attach.ts")),
    build: leaf(() => import("./compose/build.ts")),
    create: leaf(() => import("./compose/create.ts")),
    cp: leaf(() => import("./compose/cp.ts")),
    down,
    events: leaf(() => import("./compose/events.ts")),
    exec: composeExec,
    images: leaf(() => import("./compose/images.ts")),
    kill: leaf(() => import("./compose/kill.ts")),
    logs: composeLogs,
    ls: leaf(() => import("./compose/ls.ts")),
    pause: leaf(() => import("./compose/pause.ts")),
    port: composePort,
    ps: leaf(() => import("./compose/ps.ts")),
    pull: leaf(() => import("./compose/pull.ts")),
    push: leaf(() => import("./compose/push.ts")),
    restart: leaf(() => import("./compose/restart.ts")),
    rm: leaf(() => import("./compose/rm.ts")),
    run: leaf(() => import("./compose/run.ts")),
    scale: leaf(() => import("./compose/scale.ts")),
    start: leaf(() => import("./compose/start.ts")),
    stats: leaf(() => import("./compose/stats.ts")),
    stop: leaf(() => import("./compose/stop.ts")),
    top: composeTop,
    unpause: leaf(async () => ({ command: (await import("./compose/pause.ts")).unpause })),
    version: leaf(() => import("./compose/version.ts")),
    wait: leaf(() => import("./compose/wait.ts")),
    watch,
  },
};

/** Every command, as the words that lead to it. */
export const commandTable: Group = {
  summary: "A container platform: one program from the laptop to production",
  common: ["up", "down", "run", "ps", "top", "logs", "exec", "build", "doctor"],
  commands: {
    run,
    exec: orService(exec, composeExec),
    ps: leaf(listContainers),
    images: leaf(listImages),
    attach,
    build,
    commit,
    cp,
    create,
    diff,
    events,
    export: exportContainer,
    history,
    import: importImage,
    info,
    inspect: leaf(() => import("./system/inspect.ts")),
    kill,
    load,
    login: leaf(() => import("./registry/login.ts")),
    logout: leaf(() => import("./registry/logout.ts")),
    logs: orService(logs, composeLogs),
    pause,
    port: orService(port, composePort),
    pull,
    push,
    rename,
    restart,
    rm,
    rmi: leaf(removeImage),
    save,
    search: leaf(() => import("./registry/search.ts")),
    start,
    stats,
    stop,
    tag,
    top: { ...orService(top, composeTop), alone: true },
    unpause,
    update,
    version: leaf(() => import("./system/version.ts")),
    wait,
    up,
    down,
    config,
    watch,
    compose,
    container,
    image,
    catalogue,
    network,
    registry,
    system,
    volume,
    builder,
    app,
    audit: leaf(() => import("./system/audit.ts")),
    grants: leaf(() => import("./system/grants.ts")),
    why: leaf(() => import("./system/why.ts")),
    harden: leaf(() => import("./learn/harden.ts")),
    doctor: leaf(() => import("./system/doctor.ts")),
    daemon: leaf(() => import("./daemon/run.ts")),
    completion: leaf(() => import("./system/completion.ts")),
    __measure: alias(() => import("./network/measure.ts")),
    __complete: alias(() => import("./system/complete.ts")),
  },
};
