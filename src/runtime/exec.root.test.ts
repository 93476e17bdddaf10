import { expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isHavreError, systemClock } from "../base/mod.ts";
import { ContainerHost, collect, type TestContainer } from "./testing/container-host.ts";
import { until } from "./waiting.ts";

async function run(container: TestContainer, script: string, input?: Uint8Array) {
  const exec = await container.exec(["sh", "-c", script], { stdin: input !== undefined });
  if (exec.io === undefined) throw new Error("nothing attached");
  const output = collect(exec.io);
  if (input !== undefined) {
    if (!exec.io.write(input)) await exec.io.drained();
    exec.io.endInput();
  }
  const code = await exec.exited;
  return { code, ...output };
}

test.each(["crun", "runc"])("%s: codes, streams, input and what is open on the other side", async (runtime) => {
  await using host = await ContainerHost.open();
  const container = await host.start("sleep 1000", { runtime });
  expect(await run(container, "echo a; echo b >&2; exit 7")).toMatchObject({ code: 7, stdout: "a\n", stderr: "b\n" });
  expect(await run(container, "kill -9 $$")).toMatchObject({ code: 137 });
  expect(await run(container, "cat; echo after", Buffer.from("text\n"))).toMatchObject({ stdout: "text\nafter\n" });
  expect(await run(container, "wc -c", Buffer.alloc(5_000_000))).toMatchObject({ stdout: "5000000\n" });
  expect(await run(container, "cat | wc -c")).toMatchObject({ stdout: "0\n" });
  expect((await run(container, "head -c 20000000 /dev/zero")).stdout.length).toBe(20_000_000);
  expect(await run(container, "echo x > /dev/stdout; echo y > /dev/stderr")).toMatchObject({
    code: 0,
    stdout: "x\n",
    stderr: "y\n",
  });
  // A process that stays behind with the streams open does not hold the answer up.
  expect(await run(container, "sleep 1000 & echo left")).toMatchObject({ code: 0, stdout: "left\n" });
  // A process that does not read its input does not either.
  expect(await run(container, "exit 3", Buffer.alloc(5_000_000))).toMatchObject({ code: 3 });
});

test.each(["crun", "runc"])("%s: a command that cannot run is refused in Docker's words", async (runtime) => {
  await using host = await ContainerHost.open();
  writeFileSync(join(host.rootfs, "plain"), "text");
  const container = await host.start("sleep 1000", { runtime });
  const lead = "OCI runtime exec failed: exec failed: unable to start container process: ";
  for (const terminal of [false, true]) {
    for (const [command, kind, text] of [
      ["nope", "not-found", 'exec: "nope": executable file not found in $PATH: unknown'],
      ["/nope", "not-found", 'exec: "/nope": stat /nope: no such file or directory: unknown'],
      ["/plain", "permission-denied", 'exec: "/plain": permission denied: unknown'],
    ]) {
      const error = await container.exec([command ?? ""], { terminal }).catch((failure) => failure);
      expect(error).toMatchObject({ kind, message: `${lead}${text}` });
    }
  }
  expect(readdirSync(container.request.bundle).filter((name) => name.startsWith("exec-"))).toEqual([]);
});

test.each(["crun", "runc"])("%s: a terminal has a size, is resized and ends", async (runtime) => {
  await using host = await ContainerHost.open();
  const container = await host.start("sleep 1000", { runtime });
  const exec = await container.exec(["sh", "-c", "read go; stty size; read x; echo got $x; exit 5"], {
    terminal: true,
    stdin: true,
  });
  if (exec.io === undefined) throw new Error("nothing attached");
  const output = collect(exec.io);
  exec.resize(33, 77);
  // Inside, the size is seen before the process is told to look.
  const tty = await run(
    container,
    `while :; do for t in /dev/pts/[0-9]*; do case "$(stty size <$t)" in "33 77") echo $t; exit;; esac; done; sleep 0.01; done`,
  );
  expect(tty.stdout).toStartWith("/dev/pts/");
  exec.io.write(Buffer.from("\n"));
  await output.saw("33 77");
  exec.io.write(Buffer.from("hi\n"));
  expect(await exec.exited).toBe(5);
  expect(output.stdout).toEndWith("got hi\r\n");
});

test("a detached process's code is known, and a slow reader loses nothing", async () => {
  await using host = await ContainerHost.open();
  const container = await host.start("sleep 1000");
  const detached = await container.exec(["sh", "-c", "exit 4"], { attach: false });
  expect(detached.io).toBeUndefined();
  expect(await detached.exited).toBe(4);
  const exec = await container.exec(["seq", "1", "100000"]);
  let size = 0;
  let chunks = 0;
  exec.io?.onOutput(({ data }) => {
    size += data.byteLength;
    if (++chunks % 3 !== 0) return true;
    setImmediate(() => exec.io?.resume());
    return false;
  });
  expect(await exec.exited).toBe(0);
  expect(size).toBe(588_895);
});

test("a client that leaves closes the streams; the process's end is still reported", async () => {
  await using host = await ContainerHost.open();
  const container = await host.start("sleep 1000");
  const exec = await container.exec(["sh", "-c", "cat; exit 6"], { stdin: true });
  await exec.io?.[Symbol.asyncDispose]();
  expect(await exec.exited).toBe(6);
});

test("a process in a container that has ended is refused", async () => {
  await using host = await ContainerHost.open();
  const container = await host.start("true");
  await container.exited;
  const error = await container.exec(["true"]).catch((failure) => failure);
  expect(isHavreError(error, "failed-precondition")).toBe(true);
});

test("only the container's own processes are in its list and its cgroup while an exec goes on", async () => {
  await using host = await ContainerHost.open();
  const container = await host.start("exec sleep 1000");
  const exec = await container.exec(["sleep", "1000"], { attach: false });
  const init = (await host.runtime.observe(container.id, "crun", "")).processes?.init.pid ?? 0;
  expect(host.runtime.processes(container.id)).toEqual([init, exec.pid].sort((a, b) => a - b));
  await until(systemClock, () => host.runtime.stats(container.id)?.pids.current === 2);
  await container.kill(9, true);
  expect(await exec.exited).toBe(137);
});
