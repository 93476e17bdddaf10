/** What `havre` starts is hardened unless something else is asked for; Docker's clients get Docker's. */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HAVRE, TerminalSession, until, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const WRITE = ["bb", "sh", "-c", "echo written > /x && cat /x"];

test("nobody asks: hardened by havre, Docker's by the Docker API; a flag, a label and the environment are the way back", async () => {
  const denied = await engine.havre(["run", "--rm", ...WRITE]);
  expect([denied.code, denied.stderr]).toEqual([1, expect.stringContaining("Read-only file system")]);
  expect(await engine.ok(["run", "--rm", ...WRITE])).toBe("written");
  const back = async (flags: readonly string[], profile = "") =>
    (await engine.havre(["run", "--rm", ...flags, ...WRITE], { env: { HAVRE_PROFILE: profile } })).stdout;
  expect(await back(["--profile", "docker"], "hardened")).toBe("written\n");
  expect(await back(["--label", "havre.profile=docker"])).toBe("written\n");
  expect(await back([], "docker")).toBe("written\n");
  const unknown = await engine.havre(["run", "--rm", "--profile", "dokcer", ...WRITE]);
  expect(unknown.stderr).toContain("Did you mean docker?");
});

test("a low port that is published may be listened on, and it is told that the flag asked", async () => {
  const serve = "echo here > /tmp/index.html; exec httpd -f -p 80 -h /tmp";
  const flags = ["-d", "--name", "e2e-low", "--stop-signal", "KILL", "-p", "127.0.0.1::80"];
  expect((await engine.havre(["run", ...flags, "bb", "sh", "-c", serve])).code).toBe(0);
  const address = await engine.ok(["port", "e2e-low", "80"]);
  await until("it serves", async () => (await fetch(`http://${address}/`).catch(() => undefined))?.ok);
  const { grants } = JSON.parse((await engine.havre(["grants", "--json", "e2e-low"])).stdout);
  expect(grants).toMatchObject([{ grant: "net-bind", by: "--publish" }]);
  const lower = await engine.docker(["exec", "e2e-low", "sh", "-c", "nc -l -p 79 2>&1"]);
  expect([lower.code, lower.stdout]).toEqual([1, expect.stringContaining("ermission denied")]);
  await engine.ok(["rm", "-f", "e2e-low"]);
});

test("an image names its scratch folders; a container keeps the image it was made of when the name moves", async () => {
  const made = [
    "create",
    "--name",
    "e2e-base",
    "bb",
    "sh",
    "-c",
    "echo x > /var/scratch/a && echo scratch; sleep 1000",
  ];
  await engine.ok(made);
  const change = ["--change", "LABEL havre.tmpfs=/var/scratch", "--change", "STOPSIGNAL KILL"];
  const first = await engine.ok(["commit", ...change, "e2e-base", "e2e-moving"]);
  expect((await engine.havre(["run", "-d", "--name", "e2e-pinned", "e2e-moving"])).code).toBe(0);
  await until("it wrote", async () => (await engine.ok(["logs", "e2e-pinned"])).includes("scratch"));
  await engine.ok(["tag", "bb", "e2e-moving"]);
  await engine.ok(["restart", "-t", "0", "e2e-pinned"]);
  await until("it wrote again", async () => (await engine.ok(["logs", "e2e-pinned"])) === "scratch\nscratch");
  expect(await engine.ok(["inspect", "-f", "{{.Image}}", "e2e-pinned"])).toBe(first);
  await engine.ok(["rm", "-f", "e2e-pinned", "e2e-base"]);
  await engine.ok(["rmi", "e2e-moving", first]);
});

test("a service that is refused something is mended by the words of havre why; up replaces it, and then leaves it", async () => {
  const cwd = join(engine.folder, "mended");
  mkdirSync(cwd);
  const write = (more: string) =>
    writeFileSync(
      join(cwd, "compose.yaml"),
      `services:\n  web:\n    image: bb\n    stop_signal: KILL\n    command: [sh, -c, "touch /var/page && exec sleep 1000"]\n${more}`,
    );
  const up = () => engine.havre(["up", "-d"], { cwd });
  const state = () => engine.ok(["inspect", "-f", "{{.Id}} {{.State.Status}}", "mended-web-1"]);
  write("");
  expect((await up()).code).toBe(0);
  await until("it failed", async () => (await state()).endsWith("exited"));
  const { profile, refusals } = JSON.parse((await engine.havre(["why", "--json", "mended-web-1"])).stdout);
  expect(profile).toBe("hardened");
  const grant: string = refusals[0].grant.replace("--grant ", "");
  write(`    x-havre: { grants: ["${grant}"] }\n`);
  expect((await up()).stderr).toContain("Recreate");
  const mended = await state();
  expect(mended).toEndWith("running");
  expect((await up()).stderr).toBe("");
  expect(await state()).toBe(mended);
  write("    x-havre: { profile: docker }\n");
  expect((await up()).code).toBe(0);
  expect(await engine.ok(["exec", "mended-web-1", "sh", "-c", "touch /anywhere && echo wrote"])).toBe("wrote");
  expect((await engine.havre(["down", "-v", "-t", "0"], { cwd })).code).toBe(0);
});

test("at a terminal a failure that spoke of a refusal is followed by the way to its reason", async () => {
  const { root, run: runFolder } = engine.own;
  const command = [HAVRE, "run", "-it", "--name", "e2e-hint", ...WRITE];
  await using session = new TerminalSession(
    command,
    { HAVRE_ROOT: root, HAVRE_RUN: runFolder },
    { rows: 30, cols: 160 },
  );
  await session.shows("havre why e2e-hint tells what it was denied");
  await engine.ok(["rm", "-f", "e2e-hint"]);
});
