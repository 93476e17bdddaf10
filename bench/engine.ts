/**
 * How long what people wait for takes, on several engines side by side in one run, by hand:
 *
 *     npm run bench -- [--image bb] [--repeat 11] [--only WORD] [--profile docker] [--rootfs TAR --registry HOST:PORT] [NAME=DOCKER_HOST…]
 *
 * Havre is always the first: a daemon of its own from build/havre, driven with the docker command line (`havre` column)
 * and with its own (`havre cli`). Others are sockets of engines that run already and have the image. Each measure runs on
 * every engine in turn, so that what else the machine does hits all alike.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { dockerCli, dockerCompose } from "../e2e/harness/docker-cli.ts";
import { Engine, HAVRE, type Outcome, run, TestDaemon } from "../e2e/harness/mod.ts";
import { COMPOSE_MEASURES } from "./compose-measures.ts";
import type { Contender } from "./contender.ts";
import { IMAGE_MEASURES } from "./image-measures.ts";
import { MEASURES } from "./measures.ts";
import { printTable } from "./table.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    image: { type: "string", default: "bb" },
    repeat: { type: "string", default: "11" },
    // Of `havre`: the one that does for a container what other engines do. Under `hardened` some measures are refused.
    profile: { type: "string", default: "docker" },
    only: { type: "string", default: "" },
    rootfs: { type: "string", default: "" },
    registry: { type: "string", default: "" },
  },
});

await using daemon = new TestDaemon();
await daemon.start();
const engine = new Engine(daemon);
await engine.loadBusybox();

const throughDocker =
  (host: string) =>
  (args: readonly string[]): Promise<Outcome> =>
    run(dockerCli(), args, { env: { DOCKER_HOST: host, DOCKER_CONFIG: `${engine.folder}/.docker` }, timeout: 300_000 });
const throughCompose =
  (host: string) =>
  (args: readonly string[]): Promise<Outcome> =>
    run(dockerCompose(), args, { env: { DOCKER_HOST: host }, timeout: 300_000 });
const throughHavre = (args: readonly string[]): Promise<Outcome> =>
  run(HAVRE, args, {
    env: { HAVRE_ROOT: daemon.root, HAVRE_RUN: daemon.run, HAVRE_PROFILE: values.profile },
    timeout: 300_000,
  });
const contenders: Contender[] = [
  { name: "havre", command: throughDocker(daemon.host), pid: daemon.pid, compose: throughCompose(daemon.host) },
  {
    name: "havre cli",
    command: throughHavre,
    // The flag goes before the verb for docker compose, behind it for havre.
    compose: ([flag = "", file = "", verb = "", ...rest]) => throughHavre(["compose", verb, flag, file, ...rest]),
  },
  ...positionals.map((word): Contender => {
    const [name = "", host = ""] = [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)];
    return { name, command: throughDocker(host), compose: throughCompose(host) };
  }),
];

const rows: { readonly name: string; readonly unit: string; readonly values: readonly number[] }[] = [];
const measures = [...MEASURES, ...IMAGE_MEASURES, ...COMPOSE_MEASURES];
const { image, rootfs, registry } = values;
const settings = { image, rootfs, registry, repeat: Number(values.repeat) };
for (const measure of measures.filter(({ name }) => name.includes(values.only))) {
  const results: number[] = [];
  for (const contender of contenders) {
    results.push(await measure.take(contender, settings));
  }
  rows.push({ name: measure.name, unit: measure.unit, values: results });
  process.stderr.write(`${measure.name}: ${results.map((value) => value.toFixed(1)).join("  ")} ${measure.unit}\n`);
}
process.stdout.write(`${readFileSync("/proc/version", "utf8").split(" (")[0]}\n`);
process.stdout.write(
  printTable(
    contenders.map(({ name }) => name),
    rows,
  ),
);
engine.dispose();
