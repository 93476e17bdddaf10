import { expect, test } from "bun:test";
import { createCipheriv } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OwnRegistry, run, useEngine } from "./harness/mod.ts";

const engine = useEngine();

test("of a changed image only the change goes to Havre's registry and comes back, and others have the same image", async () => {
  await using registry = await OwnRegistry.start(join(engine.folder, "registry"));
  const name = (version: string) => `${registry.host}/team/app:${version}`;
  const folder = join(engine.folder, "app");
  mkdirSync(folder);
  // Noise that is the same each time.
  const noise = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16));
  for (let file = 0; file < 8; file++) writeFileSync(join(folder, `data-${file}`), noise.update(Buffer.alloc(1 << 20)));
  const push = async (version: string) => {
    writeFileSync(join(folder, "line"), `${version}\n`);
    const tar = join(engine.folder, `${version}.tar`);
    expect((await run("tar", ["-C", folder, "-cf", tar, "."])).code).toBe(0);
    await engine.ok(["import", tar, name(version)]);
    return engine.ok(["push", name(version)]);
  };
  expect(await push("v1")).not.toContain("Reused");
  const pushed = await push("v2");
  const [, reused] = /Reused ([\d.]+)MB of layers that were there in parts, sent [\d.]+[kM]B/.exec(pushed) ?? [];
  expect(Number(reused)).toBeGreaterThan(5);
  const digest = /v2: digest: (sha256:\S+)/.exec(pushed)?.[1];

  await engine.ok(["rmi", name("v2")]);
  const pulled = await engine.ok(["pull", name("v2")]);
  expect(pulled).toContain(`Digest: ${digest}`);
  expect(pulled).toMatch(/Reused [5-8][\d.]*MB of layers that were there in parts, received [\d.]+[kM]B/);

  // Who knows nothing of chunks checks every digest, and reads the layer to its end.
  const copy = join(engine.folder, "copy");
  const source = `docker://${name("v2")}`;
  expect(await run("skopeo", ["copy", "--src-tls-verify=false", source, `dir:${copy}`])).toMatchObject({ code: 0 });
  const back = await run("skopeo", ["copy", `dir:${copy}`, `docker-archive:${join(engine.folder, "copy.tar")}`]);
  expect(back).toMatchObject({ code: 0 });
  const seen = await run("skopeo", ["inspect", "--tls-verify=false", "--format", "{{.Digest}}", source]);
  expect(seen.stdout.trim()).toBe(digest ?? "");
});
