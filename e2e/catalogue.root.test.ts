import { expect, test } from "bun:test";
import { useEngine } from "./harness/mod.ts";

const engine = useEngine();
const IMAGE = "catalogue.internal/busybox:1.35";
const havre = (...args: string[]) => engine.havre(args, { timeout: 120_000 });

test("an image of the catalogue is made when it is wanted, is what its entry promises, and is the same when made again", async () => {
  const listed = JSON.parse((await havre("catalogue", "list", "--json")).stdout) as {
    reference: string;
    state: string;
  }[];
  expect(listed.find(({ reference }) => reference === IMAGE)?.state).toBe("missing");
  const started = await engine.docker(
    ["run", "--rm", "--net", "none", IMAGE, "sh", "-c", "id -u app; ls /bin | wc -l"],
    {
      timeout: 120_000,
    },
  );
  expect(started.stdout).toMatch(/^10001\n[2-9]\d\d\n$/);
  expect(started.stderr).toContain(`Status: Made ${IMAGE}`);
  const before = await engine.inspect<{ Id: string; Config: { Labels: Record<string, string> } }>(IMAGE);
  expect(before.Config.Labels["org.opencontainers.image.vendor"]).toBe("The Havre maintainers");
  expect((await havre("catalogue", "verify", "busybox")).code).toBe(0);
  expect((await havre("catalogue", "build", "--quiet", "--force", "busybox")).stdout).toBe(`${IMAGE}\n`);
  expect((await engine.inspect<{ Id: string }>(IMAGE)).Id).toBe(before.Id);
  expect(await engine.ok(["pull", IMAGE])).toContain(`Image is up to date for ${IMAGE}`);
}, 240_000);

test("what the catalogue lacks is named, with what it has; nothing is pushed to it", async () => {
  const missing = await engine.docker(["pull", "catalogue.internal/nosuch:1"]);
  expect(missing.stderr).toContain("The catalogue has no nosuch:1");
  expect((await havre("catalogue", "verify", "nosuch")).stderr).toContain("nginx:1.22");
  await engine.ok(["tag", "bb", "catalogue.internal/mine:1"]);
  expect((await engine.docker(["push", "catalogue.internal/mine:1"])).stderr).toContain("nothing is pushed to it");
  await engine.ok(["rmi", "catalogue.internal/mine:1"]);
});
