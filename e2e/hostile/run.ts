/**
 * Tries everything a hostile container tries and prints the table of docs/hostile-containers.md.
 *
 *     bun e2e/hostile/run.ts
 *
 * Needs root and `build/havre`. Exit code 1 when something got through.
 */
import { Engine, TestDaemon } from "../harness/mod.ts";
import { explanation, prepareHostile, tryAll } from "./trial.ts";

await using daemon = new TestDaemon();
await daemon.start();
const engine = new Engine(daemon);
let through = 0;
try {
  await engine.loadBusybox();
  await prepareHostile(engine);
  console.log(
    "| practice | a hostile container … | under `hardened` | denied by | works under |\n|---|---|---|---|---|",
  );
  for await (const trial of tryAll(engine)) {
    const { attempt, denied, worksElsewhere } = trial;
    if (!denied) through++;
    const [, profile, ...granted] = attempt.works;
    const where = worksElsewhere ? `\`${[profile, ...granted].join(" ")}\`` : "**not seen**";
    const told = explanation(trial).replace(engine.own.socket, "/run/havre/havre.sock");
    console.log(`| ${attempt.practice} | ${attempt.name} | ${denied ? "fails" : "**WORKS**"} | ${told} | ${where} |`);
  }
} finally {
  engine.dispose();
  await daemon.end();
  await daemon.removeNetwork();
}
process.exitCode = through === 0 ? 0 : 1;
