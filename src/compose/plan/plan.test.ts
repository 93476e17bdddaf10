import { describe, expect, test } from "bun:test";
import type { Project } from "../load/model.ts";
import { configHash } from "../render/project.ts";
import { LABEL } from "../request/labels.ts";
import type { Service } from "../schema/service.ts";
import { planDown } from "./down.ts";
import { planBuilds, planImages } from "./images.ts";
import type { ContainerState, Observed } from "./observed.ts";
import { resolveReferences } from "./references.ts";
import type { Plan, Step } from "./step.ts";
import { planUp, type UpOptions } from "./up.ts";

function projectOf(services: Readonly<Record<string, Service>>): Project {
  return {
    name: "p",
    directory: "/p",
    files: ["/p/compose.yaml"],
    environment: new Map(),
    profiles: [],
    services,
    inactive: {},
    networks: { default: { name: "p_default" } },
    volumes: { data: { name: "p_data" } },
    secrets: {},
    configs: {},
    models: {},
    extensions: { "x-havre": { profile: "docker" } },
  };
}

const web: Service = { image: "web", networks: { default: {} } };
const db: Service = {
  image: "db",
  networks: { default: {} },
  volumes: [{ type: "volume", source: "data", target: "/d" }],
};
const dependsOn = (condition: "service_started" | "service_healthy", more = {}): Service["depends_on"] => ({
  db: { condition, required: true, ...more },
});

const OPTIONS: UpOptions = {
  named: [],
  recreate: "diverged",
  recreateDependencies: "diverged",
  renewsVolumes: false,
  removesOrphans: false,
  starts: true,
  waits: false,
};

function container(service: string, number: number, hash: string, more: Partial<ContainerState> = {}): ContainerState {
  const labels = {
    [LABEL.service]: service,
    [LABEL.number]: String(number),
    [LABEL.hash]: hash,
    [LABEL.image]: `id-${service}`,
  };
  return {
    id: `${service}${number}`.padEnd(12, "0"),
    name: `p-${service}-${number}`,
    state: "running",
    imageId: "",
    labels,
    mounts: [],
    ...more,
  };
}

/** What is there once a plan has been done. */
function done(project: Project, counts: Readonly<Record<string, number>> = {}): Observed {
  const containers = Object.entries(project.services).flatMap(([name, service]) => {
    const resolved = resolveReferences(service, (other) => `${other}1`.padEnd(12, "0")) ?? service;
    return Array.from({ length: counts[name] ?? service.scale ?? 1 }, (_, at) =>
      container(name, at + 1, configHash(resolved)),
    );
  });
  return {
    containers,
    networks: new Map([["p_default", { id: "n", labels: {} }]]),
    volumes: new Map([["p_data", { labels: {} }]]),
    images: new Map(Object.keys(project.services).map((name) => [name, `id-${name}`])),
  };
}
const NOTHING: Observed = { containers: [], networks: new Map(), volumes: new Map(), images: new Map() };

const brief = (plan: Plan) => plan.map(({ id, after }) => (after.length === 0 ? id : `${id} < ${after.join(" ")}`));
const kinds = (plan: Plan, kind: Step["kind"]) => plan.filter(({ step }) => step.kind === kind);

describe("up", () => {
  test("from nothing: networks and volumes, then all containers, started in order", () => {
    const project = projectOf({ web: { ...web, depends_on: dependsOn("service_healthy") ?? {} }, db });
    expect(brief(planUp(project, NOTHING, OPTIONS))).toEqual([
      "network:default",
      "volume:data",
      "create:db/1 < network:default volume:data",
      "create:web/1 < network:default volume:data",
      "start:db/1 < create:db/1",
      "wait:db:service_healthy:true < start:db/1",
      "start:web/1 < create:web/1 wait:db:service_healthy:true",
    ]);
  });

  test("what is as asked stays", () => {
    const project = projectOf({ web: { ...web, scale: 3 }, db });
    expect(planUp(project, done(project), OPTIONS)).toEqual([]);
  });

  test("a changed service alone is replaced", () => {
    const before = projectOf({ web, db });
    const after = projectOf({ web: { ...web, environment: { A: "1" } }, db });
    const plan = planUp(after, done(before), OPTIONS);
    expect(brief(plan)).toEqual(["create:web/1", "start:web/1 < create:web/1"]);
    expect(plan[0]?.step).toMatchObject({ replaces: { id: "web100000000" }, why: "its configuration changed" });
  });

  test("a new image replaces its containers", () => {
    const project = projectOf({ web, db });
    const observed = {
      ...done(project),
      images: new Map([
        ["web", "other"],
        ["db", "id-db"],
      ]),
    };
    expect(planUp(project, observed, OPTIONS)[0]?.step).toMatchObject({ service: "web", why: "its image changed" });
    expect(planUp(project, observed, { ...OPTIONS, recreate: "never" })).toEqual([]);
  });

  test("forced: all, or those named", () => {
    const project = projectOf({ web, db });
    expect(kinds(planUp(project, done(project), { ...OPTIONS, recreate: "force" }), "create-container")).toHaveLength(
      2,
    );
    const named = planUp(project, done(project), { ...OPTIONS, recreate: "force", named: ["web"] });
    expect(brief(named)).toEqual(["create:web/1", "start:web/1 < create:web/1"]);
  });

  test("more and fewer", () => {
    const project = projectOf({ web: { ...web, scale: 3 } });
    expect(brief(planUp(project, done(project, { web: 1 }), OPTIONS))).toEqual([
      "create:web/2",
      "create:web/3",
      "start:web/2 < create:web/2",
      "start:web/3 < create:web/3",
    ]);
    const fewer = planUp(projectOf({ web }), done(project, { web: 3 }), OPTIONS);
    expect(fewer.map(({ step }) => step.kind === "remove-container" && step.container.name)).toEqual([
      "p-web-2",
      "p-web-3",
    ]);
  });

  test("of too many the outdated go first", () => {
    const project = projectOf({ web });
    const observed = {
      ...done(project),
      containers: [container("web", 1, "old"), container("web", 2, configHash(web))],
    };
    expect(planUp(project, observed, OPTIONS).map(({ id }) => id)).toEqual(["remove:web100000000"]);
  });

  test("what was cut off between removal and renaming is finished", () => {
    const project = projectOf({ web });
    const left = container("web", 1, configHash(web));
    const half = { ...left, name: "0123456789ab_p-web-1", labels: { ...left.labels, [LABEL.replace]: "0123456789ab" } };
    expect(planUp(project, { ...done(project), containers: [half] }, OPTIONS).map(({ step }) => step)).toEqual([
      { kind: "rename-container", container: half, name: "p-web-1" },
    ]);
  });

  test("what ended is started again, in order", () => {
    const project = projectOf({ web: { ...web, depends_on: dependsOn("service_started") ?? {} }, db });
    const observed = done(project);
    const stopped = { ...observed, containers: observed.containers.map((one) => ({ ...one, state: "exited" })) };
    expect(brief(planUp(project, stopped, OPTIONS))).toEqual(["start:db/1", "start:web/1 < start:db/1"]);
  });

  test("who shares another's namespaces is replaced with it", () => {
    const shared: Service = {
      image: "web",
      network_mode: "service:db",
      depends_on: dependsOn("service_started") ?? {},
    };
    const project = projectOf({ web: shared, db });
    expect(planUp(project, done(project), OPTIONS)).toEqual([]);
    const changed = projectOf({ web: shared, db: { ...db, hostname: "h" } });
    expect(brief(planUp(changed, done(project), OPTIONS))).toEqual([
      "create:db/1",
      "create:web/1 < create:db/1",
      "start:db/1 < create:db/1",
      "start:web/1 < create:web/1 start:db/1",
    ]);
  });

  test("who asks for it is restarted when what it depends on is replaced", () => {
    const services = { web: { ...web, depends_on: dependsOn("service_started", { restart: true }) ?? {} }, db };
    const changed = projectOf({ ...services, db: { ...db, hostname: "h" } });
    expect(brief(planUp(changed, done(projectOf(services)), OPTIONS))).toEqual([
      "create:db/1",
      "stop:web/1",
      "start:db/1 < create:db/1",
      "start:web/1 < stop:web/1 start:db/1",
    ]);
  });

  test("orphans stay, or go", () => {
    const observed = done(projectOf({ web, db }));
    expect(planUp(projectOf({ web }), observed, OPTIONS)).toEqual([]);
    const plan = planUp(projectOf({ web }), observed, { ...OPTIONS, removesOrphans: true });
    expect(plan.map(({ step }) => step.kind === "remove-container" && step.why)).toEqual(["orphan"]);
  });

  test("--wait waits for all in the end", () => {
    const project = projectOf({ web, db });
    expect(brief(planUp(project, done(project), { ...OPTIONS, waits: true }))).toEqual([
      "wait:db:running_or_healthy:true",
      "wait:web:running_or_healthy:true",
    ]);
  });
});

describe("replacement without a gap", () => {
  const served: Service = {
    image: "web",
    networks: { default: {} },
    ports: [{ target: 80, published: "8080", protocol: "tcp" }],
    healthcheck: { test: ["CMD", "true"] },
  };
  const changed = { ...served, hostname: "new" };
  const plan = (before: Service, after: Service) =>
    brief(planUp(projectOf({ web: after }), done(projectOf({ web: before })), OPTIONS));
  const GAPLESS = [
    "create:web/1",
    "start:web/1 < create:web/1",
    "ready:web/1 < create:web/1 start:web/1",
    "take:web/1 < ready:web/1",
  ];
  const PLAIN = ["create:web/1", "start:web/1 < create:web/1"];

  test("with a health check and a published port", () => expect(plan(served, changed)).toEqual(GAPLESS));

  test("not where two at once could do harm, unless it is asked for", () => {
    const writing = { ...changed, volumes: [{ type: "volume" as const, source: "data", target: "/d" }] };
    expect(plan(served, writing).slice(-2)).toEqual(PLAIN);
    expect(plan(served, { ...writing, deploy: { update_config: { order: "start-first" } } })).toEqual(GAPLESS);
    expect(plan(served, { ...changed, deploy: { update_config: { order: "stop-first" } } })).toEqual(PLAIN);
    expect(plan(served, { ...changed, healthcheck: { disable: true } })).toEqual(PLAIN);
    expect(plan(served, { ...changed, networks: { default: { ipv4_address: "10.0.0.9" } } })).toEqual(PLAIN);
  });

  const old = container("web", 1, "old");
  const half = (hash: string): ContainerState => {
    const made = container("web", 1, hash, { id: "fedcba987654", name: "web100000000_p-web-1" });
    return { ...made, labels: { ...made.labels, [LABEL.replace]: old.id, [LABEL.portsFrom]: old.id } };
  };
  const cutOff = (hash: string) =>
    brief(
      planUp(
        projectOf({ web: served }),
        { ...done(projectOf({})), containers: [old, half(hash)], images: new Map([["web", "id-web"]]) },
        OPTIONS,
      ),
    );

  test("cut off half-way it is gone on with", () => {
    expect(cutOff(configHash(served))).toEqual(["ready:web/1", "take:web/1 < ready:web/1"]);
  });

  test("or begun anew when the files have changed again, the old one still serving", () => {
    expect(cutOff("stale")).toEqual(["remove:fedcba987654", ...GAPLESS]);
  });
});

test("any project, from any state: nothing waits for what is not planned, nor in a circle, and then all is done", () => {
  const random = seeded(7);
  for (let round = 0; round < 300; round++) {
    const names = ["a", "b", "c", "d", "e"].slice(0, 1 + Math.floor(random() * 5));
    const make = (): Record<string, Service> =>
      Object.fromEntries(
        names.map((name, at) => [
          name,
          {
            image: name,
            scale: Math.floor(random() * 3),
            environment: { V: String(Math.floor(random() * 2)) },
            depends_on: Object.fromEntries(
              names
                .slice(0, at)
                .filter(() => random() < 0.4)
                .map((other) => [
                  other,
                  {
                    condition: random() < 0.5 ? ("service_healthy" as const) : ("service_started" as const),
                    restart: random() < 0.3,
                  },
                ]),
            ),
          },
        ]),
      );
    const wanted = projectOf(make());
    const plan = planUp(wanted, random() < 0.2 ? NOTHING : done(projectOf(make())), {
      ...OPTIONS,
      removesOrphans: true,
      waits: random() < 0.5,
    });
    const seen = new Set<string>();
    // In the order planned each comes after those it waits for: no circle, and nothing missing.
    for (const { id, after } of plan) {
      expect(after.filter((one) => !seen.has(one))).toEqual([]);
      expect(seen.has(id)).toBe(false);
      seen.add(id);
    }
    expect(planUp(wanted, done(wanted), OPTIONS)).toEqual([]);
  }
});

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

test("down: dependents first, then networks and volumes", () => {
  const a = container("db", 1, "");
  const b = {
    ...container("web", 1, ""),
    labels: { [LABEL.service]: "web", [LABEL.dependsOn]: "db:service_started:false" },
  };
  const plan = planDown({
    containers: [a, b],
    networks: [{ id: "n", name: "p_default" }],
    volumes: ["p_data"],
    images: [],
    anonymous: true,
  });
  expect(brief(plan)).toEqual([
    "stop:db1000000000 < stop:web100000000",
    "remove:db1000000000 < stop:db1000000000",
    "stop:web100000000",
    "remove:web100000000 < stop:web100000000",
    "network:n < remove:db1000000000 remove:web100000000",
    "volume:p_data < remove:db1000000000 remove:web100000000",
  ]);
});

test("images: what is missing is fetched or made, once, by the policy", () => {
  const plan = (
    service: Service,
    options: Parameters<typeof planImages>[2] = { build: "missing", pull: "" },
    there: string[] = [],
  ) =>
    planImages(projectOf({ a: service, b: service }), new Map(there.map((name) => [name, "id"])), options).map(
      ({ step }) => `${step.kind} ${"image" in step ? step.image : ""}`,
    );
  expect(plan({ image: "i" })).toEqual(["pull-image i"]);
  expect(plan({ image: "i" }, undefined, ["i"])).toEqual([]);
  expect(plan({ image: "i", pull_policy: "always" }, undefined, ["i"])).toEqual(["pull-image i"]);
  expect(plan({ image: "i", pull_policy: "never" })).toEqual([]);
  expect(plan({ image: "i", build: { context: "." } })).toEqual(["build-image i"]);
  expect(plan({ build: { context: "." } })).toEqual(["build-image p-a", "build-image p-b"]);
  expect(plan({ image: "i", build: { context: "." } }, { build: "always", pull: "" }, ["i"])).toEqual([
    "build-image i",
  ]);
  expect(plan({ image: "i", build: { context: "." } }, { build: "never", pull: "" })).toEqual(["pull-image i"]);
  expect(plan({ image: "i" }, { build: "missing", pull: "never" })).toEqual([]);
});

test("a build comes after those of the services whose images it names, asked for or not", () => {
  const over = (other: string): Service => ({ build: { additional_contexts: { base: `service:${other}` } } });
  const services = { a: over("b"), b: over("c"), c: { build: {} }, d: { build: {} } };
  const all = planImages(projectOf(services), new Map([["p-c", "id"]]), { build: "missing", pull: "" });
  expect(brief(all)).toEqual(["image:p-a < image:p-b", "image:p-b", "image:p-d"]);
  const { a, ...others } = services;
  expect(brief(planBuilds({ ...projectOf({ a }), inactive: others }))).toEqual([
    "image:p-a < image:p-b",
    "image:p-b < image:p-c",
    "image:p-c",
  ]);
});
