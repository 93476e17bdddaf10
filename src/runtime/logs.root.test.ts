import { expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { readLog } from "./log-reader.ts";
import { ContainerHost, collect } from "./testing/container-host.ts";

const ALL = { stdout: true, stderr: true, timestamps: false };

async function text(path: string, query: object = {}): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const { data } of readLog(path, { ...ALL, ...query })) parts.push(data.slice());
  return Buffer.concat(parts).toString();
}

test("what a container wrote is read back, by stream and with times", async () => {
  await using host = await ContainerHost.open();
  const container = await host.start("echo out; printf 'no end'; echo err >&2");
  await container.exited;
  expect(await text(container.logPath, { stderr: false })).toBe("out\nno end");
  expect(await text(container.logPath, { stdout: false })).toBe("err\n");
  expect(await text(container.logPath, { stderr: false, timestamps: true })).toMatch(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z out\n\d{4}-\S+Z no end$/,
  );
});

test("logs are bounded, the newest generations are kept whole, and lines longer than the supervisor's buffer are joined", async () => {
  await using host = await ContainerHost.open();
  // In pieces: generations that end faster than this process gets its turn are not all kept.
  const script =
    "for n in 0 1 2 3 4 5; do seq $((n*10000+1)) $((n*10000+10000)); sleep 0.1; done; head -c 30000 /dev/zero | tr '\\0' x; echo; echo last";
  const container = await host.start(script, { log: { maxSize: 1_000_000, maxFiles: 3 } });
  await container.exited;
  const read = await text(container.logPath);
  const lines = read.trimEnd().split("\n");
  expect(lines.at(-1)).toBe("last");
  expect(lines.at(-2)).toBe("x".repeat(30_000));
  const numbers = lines.slice(0, -2).map(Number);
  expect(numbers.at(-1)).toBe(60_000);
  const first = numbers[0] ?? 0;
  expect(numbers).toEqual(Array.from({ length: 60_000 - first + 1 }, (_, index) => first + index));
  // 3 of about 3.2 generations.
  expect(first).toBeGreaterThan(1);
  expect(numbers.length).toBeGreaterThan(30_000);
  for (const suffix of ["", ".1", ".2"])
    expect(statSync(`${container.logPath}${suffix}`).size).toBeLessThanOrEqual(1_000_000);
});

test("following a container's log ends with the container, after its last line", async () => {
  await using host = await ContainerHost.open();
  const container = await host.create(["sh", "-c", "for i in 1 2 3 4 5; do echo $i; sleep 0.05; done"], {
    log: { maxSize: 100, maxFiles: 100 },
  });
  const reading = text(container.logPath, { follow: { ended: container.exited } });
  await container.start();
  expect(await reading).toBe("1\n2\n3\n4\n5\n");
});

test("a container that is started again and again does not outgrow its log", async () => {
  await using host = await ContainerHost.open();
  const container = await host.create(["sh", "-c", "seq 1 1000"], { log: { maxSize: 100_000, maxFiles: 2 } });
  await container.start();
  await container.exited;
  for (let round = 0; round < 5; round++) {
    await container.delete();
    await container.create();
    const ended = Promise.withResolvers<void>();
    using _listener = host.runtime.onExit(() => ended.resolve());
    await container.start();
    await ended.promise;
  }
  const size = ["", ".1"].reduce((sum, suffix) => sum + statSync(`${container.logPath}${suffix}`).size, 0);
  expect(size).toBeLessThan(400_000);
});

test("a container without a log runs, is read from and leaves no file", async () => {
  await using host = await ContainerHost.open();
  const container = await host.create(["sh", "-c", "echo out"], { logged: false });
  const io = await container.attach();
  const output = collect(io);
  await container.start();
  expect((await container.exited).code).toBe(0);
  await io.closed;
  expect(output.stdout).toBe("out\n");
  expect(readdirSync(container.request.bundle).filter((name) => name.includes("log"))).toEqual([]);
});
