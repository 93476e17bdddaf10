/** Dockerfiles and Compose files, read in this process as the daemon and the command line read them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { HavreError } from "../../src/base/mod.ts";
import { lintDockerfile, parseDockerfile, planBuild, StageScope } from "../../src/builder/dockerfile/mod.ts";
import { configHash, loadProject, renderProject } from "../../src/compose/mod.ts";
import type { Random } from "../harness/random.ts";
import { mutateText } from "./mutate.ts";
import { Finding, type Outcome, type Surface } from "./surface.ts";

const HOME = resolve(import.meta.dirname, "../..");
/** Milliseconds one text may take. */
const SLOW = 5_000;

function textsBelow(folder: string, pattern: RegExp): readonly string[] {
  return readdirSync(join(HOME, folder), { recursive: true })
    .map(String)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => readFileSync(join(HOME, folder, name), "utf8"));
}

/** Reads a text; every error of a reader is a `HavreError` with words of its own. */
async function read(text: string, use: () => unknown): Promise<Outcome> {
  const started = performance.now();
  const outcome = await met(text, use);
  const took = performance.now() - started;
  if (took > SLOW) throw new Finding(`took ${Math.round(took)} ms`, text);
  return outcome;
}

async function met(text: string, use: () => unknown): Promise<Outcome> {
  try {
    await use();
    return "taken";
  } catch (error) {
    if (!(error instanceof HavreError)) throw new Finding(`a mistake shows: ${(error as Error).stack ?? error}`, text);
    if (error.kind === "internal") throw new Finding(`called internal: ${error.message}`, text);
    return "refused";
  }
}

const DOCKERFILE_PIECES =
  'FROM |RUN |COPY |ADD |--from=|--mount=type=cache,target=|<<EOF|<<-"E"|ONBUILD |# escape=`\n|# syntax=x\n|${|:-|//|\\\n|["|ENV |ARG |AS |HEALTHCHECK |SHELL |USER |EXPOSE |VOLUME |scratch|$TARGETPLATFORM'.split(
    "|",
  );
const AMD64 = { os: "linux", architecture: "amd64" };
const TOLD = { buildArgs: new Map([["A", "1"]]), buildPlatform: AMD64, targetPlatform: AMD64 };

export function dockerfiles(): Surface {
  const seeds = [
    ...textsBelow("src/builder/dockerfile/cases", /\.Dockerfile$/),
    ...textsBelow("examples", /Dockerfile$/),
    ...textsBelow("src/catalogue", /Dockerfile$/),
  ];
  return {
    feed(random) {
      const text = mutateText(random.pick(seeds), random, DOCKERFILE_PIECES);
      return read(text, () => {
        const dockerfile = parseDockerfile({ name: "Dockerfile", text });
        const plan = planBuild(dockerfile, TOLD);
        lintDockerfile(plan, TOLD);
        for (const { commands } of plan.stages) {
          const scope = StageScope.onImage(dockerfile, plan.globals, TOLD.buildArgs, ["PATH=/bin"]);
          for (const command of commands) scope.apply(command);
        }
      });
    },
  };
}

const COMPOSE_PIECES =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable as Compose files have it
  'services:\n|  web:\n|    image: |build: .\n|ports:\n|- "80:80"|depends_on:\n|!reset |!override |&a |*a|<<: *a|${A:?b}|${A:-${B:+c}}|$$|x-a:\n|deploy:\n|replicas: |extends:\n|include:\n|profiles: [|healthcheck:\n|interval: 1s|: |- |? |---\n|...\n|>-\n|%YAML 1.2\n'.split(
    "|",
  );

export function composeFiles(): Surface & Disposable {
  const seeds = [...textsBelow("src/compose/load/cases", /\.ya?ml$/), ...textsBelow("examples", /compose\.ya?ml$/)];
  const folder = mkdtempSync(join(tmpdir(), "havre-fuzz-"));
  const file = join(folder, "compose.yaml");
  const options = {
    files: [],
    projectDirectory: "",
    projectName: "fuzz",
    envFiles: [],
    profiles: [],
    workingFolder: folder,
    env: { A: "1" },
    stdin: () => "",
    warn: () => {},
  };
  return {
    feed(random: Random) {
      const text = mutateText(random.pick(seeds), random, COMPOSE_PIECES);
      writeFileSync(file, text);
      return read(text, async () => {
        const project = await loadProject(options);
        renderProject(project, "yaml");
        for (const service of Object.values(project.services)) configHash(service);
      });
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
