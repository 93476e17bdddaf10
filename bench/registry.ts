/**
 * Measures Havre's registry beside Debian's docker-registry in one run, turn by turn:
 *
 *   bun bench/registry.ts [--mib 512] [--rounds 5] [--seconds 3]
 *
 * Needs Debian's docker-registry, curl and wrk, and build/havre. Prints a Markdown table of medians.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePort, HAVRE, until } from "../e2e/harness/mod.ts";

const { values } = parseArgs({
  options: {
    mib: { type: "string", default: "512" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
  },
});
const MIB = 1 << 20;
const mib = Number(values.mib);
const folder = mkdtempSync(join(tmpdir(), "havre-bench-registry-"));
const blob = join(folder, "blob");
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** A registry that serves, with what was measured of it. */
class Contender {
  readonly name: string;
  readonly url: string;
  readonly values = new Map<string, number[]>();
  readonly #process: ChildProcess;

  constructor(name: string, port: number, command: string, args: readonly string[]) {
    this.name = name;
    this.url = `http://127.0.0.1:${port}`;
    this.#process = spawn(command, args, { stdio: "ignore" });
  }

  async ready(): Promise<void> {
    await until(`${this.name} answers`, async () => {
      return (await fetch(`${this.url}/v2/`).catch(() => undefined))?.ok ?? false;
    });
  }

  async measure(what: string, take: () => number | Promise<number>): Promise<void> {
    const taken = await take();
    this.values.set(what, [...(this.values.get(what) ?? []), taken]);
  }

  /** Measures a transfer, and the processor time that it takes the server: that does not depend on what else runs here. */
  async transfer(what: string, transfers: readonly (readonly string[])[]): Promise<void> {
    const before = this.#processorMs;
    await this.measure(`${what} (MiB/s)`, () => throughput(transfers));
    const gib = (transfers.length * mib) / 1024;
    await this.measure(`${what}: the server's processor (ms/GiB)`, () => (this.#processorMs - before) / gib);
  }

  get #processorMs(): number {
    const fields = readFileSync(`/proc/${this.#process.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10; // In ticks of 10 ms.
  }

  /** The most memory that it ever had, MB. */
  get peak(): number {
    const kib = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#process.pid}/status`, "utf8"))?.[1];
    return Number(kib) / 1024;
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    if (this.#process.kill()) await ended;
  }
}

/** MiB per second of so many transfers of the blob at once, each by a program of its own. */
async function throughput(transfers: readonly (readonly string[])[]): Promise<number> {
  const start = performance.now();
  await Promise.all(
    transfers.map(async ([command = "", ...args]) => {
      const child = spawn(command, args, { stdio: "ignore" });
      const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
      if (code !== 0) throw new Error(`${command} ${args.join(" ")} exited with ${code}`);
    }),
  );
  return (transfers.length * mib) / ((performance.now() - start) / 1000);
}

function requestsPerSecond(url: string): number {
  const args = ["-t2", "-c16", `-d${values.seconds}s`, "-H", `Accept: ${MANIFEST}`, url];
  const said = execFileSync("wrk", args, { encoding: "utf8" });
  if (/Non-2xx/.test(said)) throw new Error(said);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(said)?.[1]);
}

function makeBlob(): string {
  const hash = createHash("sha256");
  const file = openSync(blob, "w");
  const random = randomBytes(MIB);
  for (let index = 0; index < mib; index++) {
    random.writeUInt32LE(index);
    hash.update(random);
    writeSync(file, random);
  }
  closeSync(file);
  return `sha256:${hash.digest("hex")}`;
}

async function pushImage({ url }: Contender, layer: string): Promise<void> {
  const config = "{}";
  const configDigest = `sha256:${createHash("sha256").update(config).digest("hex")}`;
  await upload(url, "bench", configDigest, config);
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: configDigest, size: config.length },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: layer, size: mib * MIB }],
  });
  const init = { method: "PUT", body, headers: { "content-type": MANIFEST } };
  const answer = await fetch(`${url}/v2/bench/manifests/latest`, init);
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
}

/** Where an upload goes on, with the digest that ends it. */
async function begin(url: string, repository: string, digest: string): Promise<string> {
  const answer = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: "POST" });
  const location = new URL(answer.headers.get("location") ?? "", url);
  location.searchParams.set("digest", digest);
  return location.href;
}

async function upload(url: string, repository: string, digest: string, body: string): Promise<void> {
  const answer = await fetch(await begin(url, repository, digest), { method: "PUT", body });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
}

const ports = [await freePort(), await freePort()] as const;
const config = join(folder, "config.yml");
writeFileSync(
  config,
  `version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: ${folder}/docker}, cache: {blobdescriptor: inmemory}, delete: {enabled: true}}
http: {addr: "127.0.0.1:${ports[1]}"}
`,
);
const contenders = [
  new Contender("docker-registry", ports[1], "docker-registry", ["serve", config]),
  new Contender("Havre", ports[0], HAVRE, [
    "registry",
    "serve",
    "--root",
    join(folder, "havre"),
    "--listen",
    `127.0.0.1:${ports[0]}`,
  ]),
];
try {
  const digest = makeBlob();
  for (const one of contenders) await one.ready();
  const curl = ["curl", "-sf", "-o", "/dev/null"];
  const form = [...curl, "-H", "Content-Type: application/octet-stream", "-T", blob, "-X", "PUT"];
  const discard = [process.execPath, join(import.meta.dirname, "discard.ts")];
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const one of contenders) {
      const repository = round === 0 ? "bench" : `bench${round}`;
      const location = await begin(one.url, repository, digest);
      await one.transfer("push of a large blob", [[...form, location]]);
      if (round === 0) await pushImage(one, digest);
      const address = `${one.url}/v2/bench/blobs/${digest}`;
      const pull = [...discard, address];
      await one.transfer("pull of a large blob", [pull]);
      await one.transfer("four such pulls at once", [pull, pull, pull, pull]);
      await one.transfer("a pull by curl", [[...curl, address]]);
      await one.measure("manifests by tag (requests/s)", () =>
        requestsPerSecond(`${one.url}/v2/bench/manifests/latest`),
      );
    }
  }
  for (const one of contenders) await one.measure("most memory (MB)", () => one.peak);
  const [first, second] = contenders;
  console.log(`| | ${first?.name} | ${second?.name} | |\n|---|--:|--:|--:|`);
  for (const what of first?.values.keys() ?? []) {
    const [a, b] = contenders.map((one) => median(one.values.get(what) ?? []));
    console.log(`| ${what} | ${a?.toFixed(0)} | ${b?.toFixed(0)} | × ${((b ?? 0) / (a ?? 1)).toFixed(1)} |`);
  }
} finally {
  for (const one of contenders) await one.end();
  rmSync(folder, { recursive: true, force: true });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
