/**
 * How long what people wait for takes, on several engines side by side in one run, by hand:
 *
 *     npm run bench -- [--image bb] [--repeat 11] [--only WORD] [NAME=DOCKER_HOST…]
 *
 * Havre is always the first: a daemon of its own from build/havre, driven with the docker command line (`havre` column)
 * and with its own (`havre cli`). Others are sockets of engines that run already and have the image. Each measure runs on
 * every engine in turn, so that what else the machine does hits all alike.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { dockerCli } from "../e2e/harness/docker-cli.ts";
import { Engine, HAVRE, type Outcome, run, TestDaemon } from "../e2e/harness/mod.ts";
import { type Contender, MEASURES } from "./measures.ts";
import { printTable } from "./table.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    image: { type: "string", default: "bb" },
    repeat: { type: "string", default: "11" },
    only: { type: "string", default: "" },
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
const contenders: Contender[] = [
  { name: "havre", command: throughDocker(daemon.host), pid: daemon.pid },
  {
    name: "havre cli",
    command: (args) => run(HAVRE, args, { env: { HAVRE_ROOT: daemon.root, HAVRE_RUN: daemon.run }, timeout: 300_000 }),
  },
  ...positionals.map((word): Contender => {
    const [name = "", host = ""] = [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)];
    return { name, command: throughDocker(host) };
  }),
];

const rows: { readonly name: string; readonly unit: string; readonly values: readonly number[] }[] = [];
for (const measure of MEASURES.filter(({ name }) => name.includes(values.only))) {
  const results: number[] = [];
  for (const contender of contenders) {
    results.push(await measure.take(contender, { image: values.image, repeat: Number(values.repeat) }));
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
