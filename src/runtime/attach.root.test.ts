import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { ContainerHost, collect } from "./testing/container-host.ts";

test("several clients get all output of both streams in order, and its end", async () => {
  await using host = await ContainerHost.open();
  const container = await host.create(
    ["sh", "-c", "read go; for i in 1 2 3; do echo out$i; echo err$i >&2; done; exit 3"],
    {
      stdio: { stdin: true, stdinOnce: false },
    },
  );
  const connections = [await container.attach(), await container.attach(), await container.attach()];
  const outputs = connections.map(collect);
  await container.start();
  // Clients are accepted in order: when the last one's line arrives, all are there.
  connections.at(-1)?.write(Buffer.from("go\n"));
  expect((await container.exited).code).toBe(3);
  await Promise.all(connections.map((io) => io.closed));
  for (const output of outputs) {
    expect(output.stdout).toBe("out1\nout2\nout3\n");
    expect(output.stderr).toBe("err1\nerr2\nerr3\n");
  }
});

test("standard input ends when the client half-closes, and output goes on after that", async () => {
  await using host = await ContainerHost.open();
  const container = await host.create(["sh", "-c", "cat | wc -c; echo after"], {
    stdio: { stdin: true, stdinOnce: true },
  });
  const io = await container.attach();
  const output = collect(io);
  await container.start();
  const piece = Buffer.alloc(100_000, "x");
  for (let sent = 0; sent < 50; sent++) if (!io.write(piece)) await io.drained();
  io.endInput();
  await container.exited;
  await io.closed;
  expect(output.stdout).toBe("5000000\nafter\n");
});

test("standard input stays open between clients unless it is for one", async () => {
  await using host = await ContainerHost.open();
  const container = await host.create(["sh", "-c", "read a; read b; echo got $a $b"], {
    stdio: { stdin: true, stdinOnce: false },
  });
  await container.start();
  const watching = await container.attach();
  const output = collect(watching);
  for (const line of ["one\n", "two\n"]) {
    const io = await container.attach();
    collect(io);
    io.write(Buffer.from(line));
    await io.drained();
    io.endInput();
    await io[Symbol.asyncDispose]();
  }
  await container.exited;
  await watching.closed;
  expect(output.stdout).toBe("got one two\n");
});

test("50 MB reach a reader that pauses again and again, and nothing is lost", async () => {
  await using host = await ContainerHost.open();
  const container = await host.create(["sh", "-c", "seq 1 6800000"], { log: { maxSize: 1 << 20 } });
  const io = await container.attach();
  const hash = createHash("sha256");
  let size = 0;
  let pauses = 0;
  let chunks = 0;
  io.onOutput(({ data }) => {
    hash.update(data);
    size += data.byteLength;
    if (++chunks % 50 !== 0) return true;
    pauses++;
    setImmediate(() => io.resume());
    return false;
  });
  await container.start();
  await io.closed;
  expect(pauses).toBeGreaterThan(10);
  const expected = Bun.spawnSync(["seq", "1", "6800000"]).stdout;
  expect(size).toBe(expected.byteLength);
  expect(hash.digest("hex")).toBe(createHash("sha256").update(expected).digest("hex"));
}, 60_000);

test("a reader that never resumes holds only the container up, and gets what was left when it does", async () => {
  await using host = await ContainerHost.open();
  const container = await host.create(["sh", "-c", "seq 1 5000; echo last"]);
  const io = await container.attach();
  let text = "";
  let paused = false;
  const first = Promise.withResolvers<void>();
  io.onOutput(({ data }) => {
    text += Buffer.from(data).toString();
    if (paused) return true;
    paused = true;
    first.resolve();
    return false;
  });
  await container.start();
  await first.promise;
  await container.exited;
  expect(text.endsWith("last\n")).toBe(false);
  io.resume();
  await io.closed;
  expect(text.endsWith("5000\nlast\n")).toBe(true);
});

test("a terminal echoes, is resized, and carries both streams in one", async () => {
  await using host = await ContainerHost.open();
  const container = await host.create(
    ["sh", "-c", "stty size; read x; stty size; echo got $x >&2; test -t 0 && test -t 1 && test -t 2"],
    { stdio: { terminal: true, stdin: true }, process: { consoleSize: { height: 24, width: 80 } } },
  );
  const io = await container.attach();
  const output = collect(io);
  await container.start();
  await output.saw("24 80");
  host.runtime.resize(container.id, container.request.bundle, 40, 132);
  // The supervisor reads the size and the input from different descriptors: the size is seen from inside first.
  const exec = await container.exec([
    "sh",
    "-c",
    "while [ \"$(stty size </dev/console 2>/dev/null)\" != '40 132' ]; do sleep 0.01; done",
  ]);
  if (exec.io) collect(exec.io);
  expect(await exec.exited).toBe(0);
  io.write(Buffer.from("hello\n"));
  expect((await container.exited).code).toBe(0);
  await io.closed;
  expect(output.stdout).toBe("24 80\r\nhello\r\n40 132\r\ngot hello\r\n");
  expect(output.stderr).toBe("");
});

test("a hundred clients at once are all served", async () => {
  await using host = await ContainerHost.open();
  const container = await host.start("read go; echo hello", { stdio: { stdin: true, stdinOnce: false } });
  const connections = await Promise.all(Array.from({ length: 100 }, () => container.attach()));
  const outputs = connections.map(collect);
  const last = await container.attach();
  collect(last);
  last.write(Buffer.from("go\n"));
  await container.exited;
  await Promise.all(connections.map((io) => io.closed));
  expect(new Set(outputs.map(({ stdout }) => stdout))).toEqual(new Set(["hello\n"]));
});
