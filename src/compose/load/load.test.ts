// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these templates are Compose's.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isHavreError } from "../../base/mod.ts";
import { configHash, renderProject } from "../render/project.ts";
import { type LoadOptions, loadProject } from "./load.ts";

const CASES = join(import.meta.dirname, "cases");

function options(folder: string, more: Partial<LoadOptions> = {}): LoadOptions {
  return {
    files: [],
    projectDirectory: "",
    projectName: "",
    envFiles: [],
    profiles: [],
    workingFolder: folder,
    env: { HOME: "/home/me", FROM_OUTSIDE: "outside" },
    stdin: () => "",
    warn: () => {},
    ...more,
  };
}

/** `-f FILE` and `--profile NAME`, as the case's file `args` has them. */
function caseOptions(folder: string): LoadOptions {
  const path = join(folder, "args");
  const words = existsSync(path) ? readFileSync(path, "utf8").trim().split(/\s+/) : [];
  const after = (flag: string) => words.flatMap((word, at) => (words[at - 1] === flag ? [word] : []));
  return options(folder, { files: after("-f"), profiles: after("--profile") });
}

describe("the canonical form is docker compose's", () => {
  for (const name of readdirSync(CASES)) {
    const folder = join(CASES, name);
    for (const format of ["yaml", "json"] as const) {
      test(`${name} as ${format}`, () => {
        const rendered = renderProject(loadProject(caseOptions(folder)), format).replaceAll(folder, "@DIR@");
        expect(rendered).toBe(readFileSync(join(folder, `expected.${format}`), "utf8"));
      });
    }
  }
});

/** Files of a project made for one test. */
function withFiles<T>(files: Readonly<Record<string, string>>, work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "havre-compose-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function failure(text: string, more: Readonly<Record<string, string>> = {}): string {
  return withFiles({ "compose.yaml": text, ...more }, (folder) => {
    try {
      loadProject(options(folder));
    } catch (error) {
      if (!isHavreError(error)) throw error;
      const hint = error.hint === undefined ? "" : `\n${error.hint}`;
      return (error.message + hint).replaceAll(folder, "@DIR@");
    }
    throw new Error("nothing was wrong");
  });
}

describe("what is wrong is said with its place", () => {
  const wrong: readonly (readonly [what: string, text: string, message: string])[] = [
    [
      "an unknown key",
      "services:\n  web:\n    image: a\n    enviroment: {}\n",
      'compose.yaml:4:5: services.web: unknown key "enviroment"\nDid you mean "environment"?',
    ],
    [
      "a key of the wrong type",
      "services:\n  web:\n    image: a\n    ports: 80\n",
      "compose.yaml:4:12: services.web.ports: must be a list, not the number 80\nEach item begins with '- '",
    ],
    [
      "a wrong indentation",
      "services:\n  web:\n  image: a\n   b: c\n",
      "compose.yaml:3:10: a key below or beside a value: is the indentation right? A text with ': ' in it needs quotes",
    ],
    ["a tab", "services:\n\tweb:\n", "compose.yaml:2:1: indent with spaces: YAML does not allow tabs"],
    ["a key given twice", "services: {}\nservices: {}\n", "compose.yaml:2:1: map keys must be unique"],
    [
      "no image",
      "services:\n  web: {}\n",
      "compose.yaml:2:3: services.web: has neither an image nor a build context specified\nAdd image: NAME or build: FOLDER",
    ],
    [
      "a dependency on nothing",
      "services:\n  web: {image: a, depends_on: [db]}\n",
      'compose.yaml:2:19: services.web.depends_on: service "web" depends on undefined service "db"\nDeclared: web',
    ],
    [
      "a circle",
      "services:\n  a: {image: a, depends_on: [b]}\n  b: {image: b, depends_on: [a]}\n",
      "compose.yaml:2:17: services.a.depends_on: dependency cycle detected: a -> b -> a",
    ],
    [
      "an unknown network",
      "services:\n  web: {image: a, networks: [front]}\nnetworks: {back: }\n",
      'compose.yaml:2:29: services.web.networks.front: service "web" refers to undefined network front\nDeclared: back, default',
    ],
    [
      "two services on one port",
      "services:\n  a: {image: a, ports: ['80:80']}\n  b: {image: b, ports: ['127.0.0.1:80:8080']}\n",
      'compose.yaml:3:25: services.b.ports[0]: port 80/tcp of the host is published by service "a" already',
    ],
    [
      "a port that is none",
      "services:\n  a: {image: a, ports: ['80:http']}\n",
      'compose.yaml:2:25: services.a.ports[0]: "80:http" is no port: "http" is no number\nWrite CONTAINER, HOST:CONTAINER or IP:HOST:CONTAINER, each with /udp if need be',
    ],
    [
      "a required variable",
      "services:\n  a: {image: '${TAG:?say which}'}\n",
      "compose.yaml:2:14: services.a.image: required variable TAG is missing a value: say which",
    ],
    [
      "a template that is none",
      "services:\n  a: {image: 'x${'}\n",
      'compose.yaml:2:14: services.a.image: Invalid template: "x${": the brace is not closed\nA dollar sign that is meant as such is written $$',
    ],
    [
      "a missing env_file",
      "services:\n  a: {image: a, env_file: none.env}\n",
      "env file @DIR@/none.env not found: stat @DIR@/none.env: no such file or directory\nCreate it, or write required: false beside its path",
    ],
    [
      "a condition that is none",
      "services:\n  a: {image: a, depends_on: {b: {condition: healthy}}}\n  b: {image: b}\n",
      'compose.yaml:2:45: services.a.depends_on.b.condition: must be one of service_started, service_healthy, service_completed_successfully, not the text "healthy"',
    ],
    [
      "extending a service that is not there",
      "services:\n  a: {extends: {service: b}}\n",
      'compose.yaml:2:16: services.a.extends: cannot extend service "b" in @DIR@/compose.yaml: service not found',
    ],
    [
      "a circle of extensions",
      "services:\n  a: {extends: b}\n  b: {extends: a}\n",
      "compose.yaml:2:16: services.a: Circular reference:\n  a in @DIR@/compose.yaml\n  extends b in @DIR@/compose.yaml\n  extends a in @DIR@/compose.yaml",
    ],
    [
      "an including circle",
      "include: [compose.yaml]\n",
      "compose.yaml:1:11: include: include cycle detected:\n@DIR@/compose.yaml\n include @DIR@/compose.yaml",
    ],
    ["no mapping", "- a\n", "compose.yaml:1:1: Top-level object must be a mapping"],
    ["nothing", "# nothing\n", "empty compose file"],
  ];
  for (const [what, text, message] of wrong) test(what, () => expect(failure(text)).toBe(message));

  test("many mistakes at once", () => {
    const text = "services:\n  web:\n    imag: a\n    tty: 3\n";
    expect(failure(text)).toBe(
      'compose.yaml:3:5: services.web: unknown key "imag" (Did you mean "image"?)\ncompose.yaml:4:10: services.web.tty: must be true or false, not the number 3',
    );
  });

  test("an alias that grows without end", () => {
    const lines = Array.from(
      { length: 9 },
      (_, at) => `x-${at + 1}: &a${at + 1} [${Array(9).fill(`*a${at}`).join(", ")}]`,
    );
    expect(failure(`x-0: &a0 [${Array(9).fill("lol").join(", ")}]\n${lines.join("\n")}\n`)).toBe(
      "compose.yaml: more than 200000 values",
    );
  });
});

describe("the project's name", () => {
  const named = (text: string, more: Partial<LoadOptions> = {}) =>
    withFiles({ "My_App.1/compose.yaml": text }, (folder) => loadProject(options(join(folder, "My_App.1"), more)).name);
  const file = "services: {a: {image: a}}\n";

  test("comes from the folder", () => expect(named(file)).toBe("my_app1"));
  test("or from the file", () => expect(named(`name: own\n${file}`)).toBe("own"));
  test("or from outside", () =>
    expect(named(`name: own\n${file}`, { env: { COMPOSE_PROJECT_NAME: "outer" } })).toBe("outer"));
  test("or from the command line", () =>
    expect(named(file, { env: { COMPOSE_PROJECT_NAME: "outer" }, projectName: "said" })).toBe("said"));
  test("must be one", () => expect(() => named(file, { projectName: "Not This" })).toThrow("invalid project name"));
});

test("a file is found upwards, and its paths are meant from its own folder", () => {
  const files = { "compose.yaml": "services: {a: {image: a, volumes: ['./x:/x']}}\n", "deep/er/x": "" };
  withFiles(files, (folder) => {
    const project = loadProject(options(join(folder, "deep/er")));
    expect(project.services.a?.volumes?.[0]?.source).toBe(join(folder, "x"));
  });
});

test("unset variables are told once", () => {
  const told: string[] = [];
  withFiles({ "compose.yaml": "services: {a: {image: 'a$A', hostname: '$A$B'}}\n" }, (folder) =>
    loadProject(options(folder, { warn: (message) => told.push(message) })),
  );
  expect(told).toEqual([
    'The "A" variable is not set. Defaulting to a blank string.',
    'The "B" variable is not set. Defaulting to a blank string.',
  ]);
});

test("a configuration's hash is docker compose's, whatever the number of containers and the way of the image", () => {
  const hash = (service: string) =>
    withFiles({ "compose.yaml": `services: {web: ${service}}\n` }, (folder) => {
      const { web } = loadProject(options(folder)).services;
      return web && configHash(web);
    });
  const first = hash("{image: bb, command: sleep 1000, environment: {A: '<&>'}}");
  expect(first).toBe("860b69b52f85d680c89c65f4ce767004940eaf5ab7b60e489c38a83898973508");
  expect(
    hash("{image: bb, command: sleep 1000, environment: {A: '<&>'}, scale: 3, build: ., pull_policy: never}"),
  ).toBe(first);
  expect(hash("{image: bb, command: sleep 1001, environment: {A: '<&>'}}")).not.toBe(first);
});

test("without files, the folder that was searched is named, not the one the user is in", () => {
  const told = withFiles({ "empty/.keep": "" }, (folder) => {
    try {
      loadProject(options(folder, { projectDirectory: join(folder, "empty") }));
      return undefined;
    } catch (error) {
      return isHavreError(error) ? error.hint?.replaceAll(folder, "@DIR@") : error;
    }
  });
  expect(told).toBe("There is no compose.yaml in @DIR@/empty nor above it: name one with -f");
});
