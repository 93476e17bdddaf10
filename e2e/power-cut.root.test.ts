import { expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DELTA_TYPE, encodeRecipe } from "../src/content/mod.ts";
import { run, ServedRegistry, until } from "./harness/mod.ts";

const MIB = 1 << 20;
const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}` as const;

async function ok(command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
  return stdout.trim();
}

/** A file system on a disk of its own; the disk has what was synced, or written back by chance, and no more. */
class Disk implements AsyncDisposable {
  readonly file: string;
  readonly #at: string;

  private constructor(file: string, at: string) {
    this.file = file;
    this.#at = at;
  }

  static async mount(file: string, at: string): Promise<Disk> {
    mkdirSync(at, { recursive: true });
    // The journal is committed when somebody syncs, not by the clock.
    await ok("mount", "-t", "ext4", "-o", "loop,commit=300", file, at);
    return new Disk(file, at);
  }

  /** The disk as a power cut would leave it now, while nobody asks anything of the file system. */
  async copy(to: string): Promise<void> {
    const device = (await ok("findmnt", "-no", "SOURCE", this.#at)).replace("/dev/", "");
    const writes = () => {
      const fields = readFileSync(`/sys/block/${device}/stat`, "utf8").trim().split(/\s+/);
      return { under: Number(fields[8]), done: Number(fields[4]) };
    };
    await until("a copy into which the kernel did not write", async () => {
      const before = writes();
      await ok("cp", "--sparse=always", this.file, to);
      const after = writes();
      return before.under === 0 && after.under === 0 && before.done === after.done;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await ok("umount", this.#at);
  }
}

/** Uploads blobs one after the other, in all ways, until told to stop. */
class Uploader {
  readonly sent = new Map<string, Uint8Array>();
  readonly acknowledged = new Set<string>();
  #last: { readonly digest: `sha256:${string}`; readonly bytes: Uint8Array } | undefined;
  #stop = false;
  readonly ended: Promise<void>;

  constructor(url: string) {
    this.ended = this.#run(url);
  }

  stop(): Promise<void> {
    this.#stop = true;
    return this.ended;
  }

  async #run(url: string): Promise<void> {
    for (let at = 0; !this.#stop; at++) {
      const fresh = randomBytes(MIB / 2 + ((at * 7919) % MIB));
      const bytes = at % 3 === 2 && this.#last ? Buffer.concat([fresh, this.#last.bytes.subarray(0, MIB / 4)]) : fresh;
      const digest = sha256(bytes);
      this.sent.set(digest, bytes);
      const begun = await fetch(`${url}/v2/app/blobs/uploads/`, { method: "POST" });
      const location = `${url}${begun.headers.get("location")}`;
      const send = async (method: string, to: string, body: Uint8Array, headers = {}) => {
        const answer = await fetch(to, { method, headers, body: body as Uint8Array<ArrayBuffer> });
        if (!answer.ok) throw new Error(`${method} ${to}: ${answer.status} ${await answer.text()}`);
      };
      const end = `${location}?digest=${digest}`;
      if (bytes !== fresh && this.#last) {
        const from = { digest: this.#last.digest, offset: 0 };
        const recipe = encodeRecipe([{ length: fresh.length }, { length: MIB / 4, from }]);
        await send("PATCH", location, Buffer.concat([recipe, fresh]), { "content-type": DELTA_TYPE });
        await send("PUT", end, new Uint8Array());
      } else if (at % 3 === 1) {
        await send("PATCH", location, bytes.subarray(0, bytes.length / 2));
        await send("PUT", end, bytes.subarray(bytes.length / 2));
      } else await send("PUT", end, bytes);
      this.acknowledged.add(digest);
      this.#last = { digest, bytes };
    }
  }
}

/** Stops a process until disposed; resolves when none of its threads is in a system call that would still write. */
async function freeze(pid: number): Promise<Disposable> {
  const frozen = { [Symbol.dispose]: () => void process.kill(pid, "SIGCONT") };
  process.kill(pid, "SIGSTOP");
  const stateOf = (thread: string) => readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8").split(") ")[1]?.[0];
  try {
    await until("all of the registry stands still", () =>
      readdirSync(`/proc/${pid}/task`).every((thread) => stateOf(thread) === "T"),
    );
  } catch (error) {
    frozen[Symbol.dispose]();
    throw error;
  }
  return frozen;
}

/** Ends a registry before the disk below it goes, whatever happened. */
function ending(registry: ServedRegistry): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => registry.end() };
}

test("after a power cut every blob is there whole or not at all, and whole when the client was told so", async () => {
  const folder = mkdtempSync(join(tmpdir(), "havre-power-"));
  try {
    const file = join(folder, "disk");
    writeFileSync(file, "");
    truncateSync(file, 256 * MIB);
    await ok("mkfs.ext4", "-q", file);
    const cuts: { readonly disk: string; readonly told: readonly string[] }[] = [];
    const sent = new Map<string, Uint8Array>();
    {
      await using registry = new ServedRegistry();
      await using disk = await Disk.mount(file, registry.root);
      await using _end = ending(registry);
      await registry.start();
      const uploaders = [new Uploader(registry.url), new Uploader(registry.url)];
      const told = () => uploaders.flatMap(({ acknowledged }) => [...acknowledged]);
      for (const count of [2, 7, 14]) {
        await Promise.race([
          until(`${count} blobs are there`, () => told().length >= count),
          ...uploaders.map((one) => one.ended),
        ]);
        const acknowledged = told();
        using _frozen = await freeze(registry.pid);
        const copy = join(folder, `cut-${count}`);
        await disk.copy(copy);
        cuts.push({ disk: copy, told: acknowledged });
      }
      await Promise.all(uploaders.map((one) => one.stop()));
      for (const one of uploaders) for (const [digest, bytes] of one.sent) sent.set(digest, bytes);
    }
    for (const cut of cuts) {
      await using registry = new ServedRegistry();
      await using _disk = await Disk.mount(cut.disk, registry.root);
      await using _end = ending(registry);
      await registry.start();
      const there: string[] = [];
      for (const digest of sent.keys()) {
        const answer = await fetch(`${registry.url}/v2/app/blobs/${digest}`);
        if (answer.status === 404) continue;
        expect([answer.status, sha256(new Uint8Array(await answer.arrayBuffer()))]).toEqual([
          200,
          digest as `sha256:${string}`,
        ]);
        there.push(digest);
      }
      expect(cut.told.filter((digest) => !there.includes(digest))).toEqual([]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
