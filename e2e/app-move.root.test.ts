import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestDaemon, until, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const ok = engine.ok.bind(engine);
const other = new TestDaemon();
beforeAll(() => other.start());
afterAll(async () => {
  await other.end();
  await other.removeNetwork();
  await other[Symbol.asyncDispose]();
});

const LABEL = "com.docker.compose.project=e2e-shop";
const there = (...args: string[]) =>
  engine.docker(args, { env: { DOCKER_HOST: other.host } }).then(({ stdout, stderr }) => `${stdout}${stderr}`.trim());
const havre = (args: readonly string[], to = engine.own) =>
  engine.havre(args, { env: { HAVRE_ROOT: to.root, HAVRE_RUN: to.run }, timeout: 60_000 });
const file = join(engine.folder, "shop.havre");

async function shop(): Promise<void> {
  await ok(["network", "create", "--label", LABEL, "--subnet", "10.77.5.0/24", "e2e-shop_default"]);
  await ok(["volume", "create", "--label", LABEL, "e2e-shop_data"]);
  const common = ["-d", "--label", LABEL, "--network", "e2e-shop_default"];
  await ok([
    "run",
    ...common,
    "--name",
    "e2e-shop-db",
    "--network-alias",
    "db",
    "-v",
    "e2e-shop_data:/d",
    "-v",
    "/anon",
    "-e",
    "A=b",
    "bb",
    "sleep",
    "1000",
  ]);
  await ok([
    "run",
    ...common,
    "--name",
    "e2e-shop-web",
    "--memory",
    "64m",
    "-v",
    `${engine.folder}:/host:ro`,
    "bb",
    "sh",
    "-c",
    "while :; do nslookup db >/dev/null && touch /found; sleep 1; done",
  ]);
  await ok(["exec", "e2e-shop-db", "sh", "-c", "echo kept > /d/f; chown 5:6 /d/f; echo too > /anon/g"]);
  // `container:` modes name containers by id, which change.
  await ok(["create", "--label", LABEL, "--name", "e2e-shop-side", "--net", "container:e2e-shop-db", "bb", "true"]);
}

async function clear(): Promise<void> {
  const names = await there("ps", "-aq", "--filter", `label=${LABEL}`);
  if (names !== "") await there("rm", "-fv", ...names.split("\n"));
  for (const name of (await there("volume", "ls", "-q")).split("\n").filter(Boolean)) await there("volume", "rm", name);
  await there("network", "rm", "e2e-shop_default");
}

describe("an application", () => {
  test("goes to another engine with its data, settings, networks and digests, and runs there", async () => {
    await shop();
    const exported = await havre(["app", "export", "--pause", "-p", "e2e-shop", file]);
    expect(exported).toMatchObject({ code: 0, stdout: "e2e-shop\n" });
    expect(await ok(["ps", "--filter", `label=${LABEL}`, "--format", "{{.Names}} {{.State}}"])).toBe(
      "e2e-shop-web running\ne2e-shop-db running",
    );
    // The same subnet cannot be twice on one host: the original makes room.
    await ok(["rm", "-fv", "e2e-shop-side", "e2e-shop-web", "e2e-shop-db"]);
    await ok(["network", "rm", "e2e-shop_default"]);
    const imported = await havre(["app", "import", file], other);
    expect(imported.stderr).not.toContain("Error");
    expect(imported.stdout.split("\n").filter(Boolean)).toEqual(["e2e-shop-db", "e2e-shop-web", "e2e-shop-side"]);
    expect(imported.stderr).toBe(
      `WARNING: Container e2e-shop-web mounts ${engine.folder} of its host, which does not come along\n`,
    );
    expect(await there("exec", "e2e-shop-db", "sh", "-c", "cat /d/f /anon/g; stat -c %u:%g /d/f; echo $A")).toBe(
      "kept\ntoo\n5:6\nb",
    );
    await until("its names are found", async () => (await there("exec", "e2e-shop-web", "ls", "/found")) === "/found");
    const [image, limit, mode] = (
      await there("inspect", "-f", "{{.Image}}\n{{.HostConfig.Memory}}\n{{.HostConfig.NetworkMode}}", "e2e-shop-web")
    ).split("\n");
    expect({ image, limit, mode }).toEqual({
      image: await ok(["image", "inspect", "-f", "{{.Id}}", "bb"]),
      limit: String(64 << 20),
      mode: "e2e-shop_default",
    });
    expect(await there("inspect", "-f", "{{.HostConfig.NetworkMode}}", "e2e-shop-side")).toBe(
      `container:${await there("inspect", "-f", "{{.Id}}", "e2e-shop-db")}`,
    );
    const again = await havre(["app", "import", file], other);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("Container e2e-shop-db exists already") });
    await clear();
  }, 120_000);

  test("cut short anywhere nothing of it is made but images", async () => {
    const whole = readFileSync(file);
    const cut = join(engine.folder, "cut.havre");
    for (const part of [0.3, 0.9, 0.999]) {
      writeFileSync(cut, whole.subarray(0, Math.floor(whole.length * part)));
      expect((await havre(["app", "import", cut], other)).code).toBe(1);
      expect(await there("ps", "-aq")).toBe("");
      expect(await there("volume", "ls", "-q")).toBe("");
      expect(await there("network", "ls", "-q", "--filter", "type=custom")).toBe("");
    }
  }, 60_000);

  test("that is not there is told", async () => {
    expect(await havre(["app", "export", "-p", "e2e-none", join(engine.folder, "none")])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("No containers of project e2e-none"),
    });
    expect((await havre(["app", "import", join(engine.folder, "none")], other)).code).toBe(1);
  });
});
