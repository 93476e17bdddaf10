/**
 * What moves between two engines and a registry of Havre when one line of an image changes:
 *
 *   bun bench/deltas.ts [--mib 500]
 *
 * An application of so many MiB in files of 100 kB is a layer on busybox. It is pushed and pulled, one line is put into one
 * of its files, and it is pushed and pulled again; a proxy on loopback counts the bytes. Needs root, docker's command line
 * and build/havre. Prints a Markdown table.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildBusyboxTar } from "../e2e/harness/busybox.ts";
import { dockerCli, freePort, OwnRegistry, run, TestDaemon } from "../e2e/harness/mod.ts";

const { values } = parseArgs({ options: { mib: { type: "string", default: "500" } } });
const files = Math.round((Number(values.mib) * 1024 * 1024) / 100_000);
const folder = mkdtempSync(join(tmpdir(), "havre-bench-deltas-"));
const context = join(folder, "context");

/** Hexadecimal words in lines: compresses to half, as programs do. */
function makeFile(file: number): void {
  const lines: string[] = [];
  for (let line = 0; line < 1540; line++) lines.push(createHash("sha256").update(`${file} ${line}`).digest("hex"));
  const place = join(context, "app", String(Math.floor(file / 50)));
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, `${file}.txt`), `${lines.join("\n")}\n`);
}

/** Passes all on to a registry, and counts. */
async function countingProxy(target: number, port: number) {
  let bytes = 0;
  const server = createServer((client) => {
    const registry = createConnection(target, "127.0.0.1");
    for (const [from, to] of [
      [client, registry],
      [registry, client],
    ] as const) {
      from.on("data", (chunk) => {
        bytes += chunk.length;
      });
      from.on("error", () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    take: () => {
      const taken = bytes;
      bytes = 0;
      return taken;
    },
    [Symbol.dispose]: () => void server.close(),
  };
}

async function docker(host: string, ...args: string[]): Promise<string> {
  const env = { DOCKER_HOST: host, DOCKER_BUILDKIT: "0", DOCKER_CLI_HINTS: "false" };
  const { code, stdout, stderr } = await run(dockerCli(), args, { env, timeout: 600_000 });
  if (code !== 0) throw new Error(`docker ${args.join(" ")}: ${stderr}`);
  return stdout;
}

await using maker = new TestDaemon();
await using user = new TestDaemon();
await Promise.all([maker.start(), user.start()]);
await using registry = await OwnRegistry.start(join(folder, "registry"));
const port = await freePort();
const counter = await countingProxy(Number(registry.host.split(":")[1]), port);
const rows: string[] = [];

async function measured(what: string, host: string, ...args: string[]): Promise<void> {
  counter.take();
  const start = performance.now();
  const said = await docker(host, ...args);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const reused = /^Reused .*$/m.exec(said)?.[0] ?? "";
  rows.push(`| ${what} | ${Math.round(counter.take() / 1000).toLocaleString("en")} | ${seconds} | ${reused} |`);
}

try {
  const busybox = join(folder, "busybox.tar");
  await buildBusyboxTar(busybox);
  await docker(maker.host, "import", busybox, "bb");
  for (let file = 0; file < files; file++) makeFile(file);
  writeFileSync(join(context, "Dockerfile"), "FROM bb\nCOPY app /app\n");
  for (const version of ["v1", "v2"]) {
    const name = `127.0.0.1:${port}/team/app:${version}`;
    if (version === "v2") {
      const changed = join(context, "app", "1", "77.txt");
      writeFileSync(changed, `one more line\n${readFileSync(changed, "utf8")}`);
    }
    await docker(maker.host, "build", "-q", "-t", name, context);
    await measured(`push of ${version}`, maker.host, "push", name);
    await measured(`pull of ${version}`, user.host, "pull", name);
  }
  console.log(`| ${values.mib} MiB | kB | s | |\n|---|--:|--:|---|\n${rows.join("\n")}`);
} finally {
  counter[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
}
