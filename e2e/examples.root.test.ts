import { describe, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { freePort, run, until, useEngine } from "./harness/mod.ts";

// The images are made of Debian packages first: minutes on a slow mirror.
const MAKING = 900_000;
const examples = resolve(import.meta.dirname, "../examples");
const engine = useEngine();

const havre = (args: readonly string[], env: Record<string, string> = {}) =>
  engine.havre(args, { env, timeout: MAKING });

async function ok(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const outcome = await havre(args, env);
  if (outcome.code !== 0)
    throw new Error(`havre ${args.join(" ")} exited with ${outcome.code}: ${outcome.stdout}${outcome.stderr}`);
  return outcome.stdout;
}

/** A page's text, as soon as it is there. */
async function page(url: string): Promise<string> {
  let text = "";
  await until(`${url} answers`, async () => {
    const response = await fetch(url).catch(() => undefined);
    text = (await response?.text()) ?? "";
    return response?.ok === true;
  });
  return text;
}

describe("examples/shop", () => {
  const shop = join(examples, "shop");

  test(
    "comes up from nothing, serves, keeps its data over down, up, the daemon's death, backup and restore, and starts at once again",
    async () => {
      const env = { SHOP_PORT: String(await freePort()) };
      const url = `http://127.0.0.1:${env.SHOP_PORT}`;
      await ok(["up", "-d", "--wait", shop], env);
      expect(JSON.parse(await page(`${url}/health`))).toEqual({ healthy: true, database: "ok", cache: "ok" });
      expect(await page(url)).toContain("Barometer of brass");
      const sold = await fetch(`${url}/buy`, {
        method: "POST",
        body: new URLSearchParams({ product: "2" }),
        redirect: "manual",
      });
      expect(sold.headers.get("location")).toBe("/?sold");
      expect(await page(url)).toContain("order 1;");
      await engine.own.kill();
      await engine.own.start();
      expect(await page(url)).toContain("order 1;");
      await ok(["down", shop], env);
      await ok(["up", "-d", "--wait", shop], env);
      expect(await page(url)).toContain("order 1;");
      // As after a disk that is lost: what is there is gone, and comes back from the backup.
      const backup = join(engine.folder, "shop.backup");
      await ok(["volume", "backup", "shop_data", backup]);
      await ok(["down", "-v", shop], env);
      await ok(["volume", "restore", backup, "shop_data"]);
      await ok(["up", "-d", "--wait", shop], env);
      expect(await page(url)).toContain("order 1;");
      const again = await havre(["up", "-d", "--wait", shop], env);
      expect(again.stdout + again.stderr).not.toMatch(/Creat|Recreat|Starting/);
      await ok(["down", "-v", shop], env);
      expect(await engine.ok(["volume", "ls", "-q", "--filter", "name=shop_"])).toBe("");
    },
    MAKING,
  );

  test(
    "its networks, files and rights are what the file says",
    async () => {
      const env = { SHOP_PORT: String(await freePort()) };
      await ok(["up", "-d", "--wait", shop], env);
      const inside = (service: string, ...command: string[]) =>
        engine.docker(["exec", `shop-${service}-1`, ...command]);
      expect((await inside("web", "getent", "hosts", "db")).code).not.toBe(0);
      expect((await inside("app", "getent", "hosts", "db")).code).toBe(0);
      expect((await inside("db", "sh", "-c", "echo x > /here")).stderr).toContain("Read-only file system");
      expect((await inside("db", "bash", "-c", "exec 3<>/dev/tcp/192.0.2.1/80")).code).not.toBe(0);
      expect((await inside("app", "cat", "/run/secrets/db_password")).stdout).toBe("a-password-for-trying");
      expect((await inside("web", "ls", "/run/secrets")).code).not.toBe(0);
      expect(await engine.ok(["inspect", "shop-app-1"])).not.toContain("a-password-for-trying");
      for (const service of ["web", "app", "db", "cache"])
        expect((await inside(service, "id", "-u")).stdout).not.toBe("0\n");
      await ok(["down", "-v", shop], env);
    },
    MAKING,
  );
});

test(
  "examples/node-redis counts visits, and is brought a changed file",
  async () => {
    const folder = join(engine.folder, "node-redis");
    await run("cp", ["-r", join(examples, "node-redis"), folder]);
    const env = { PORT: String(await freePort()) };
    const url = `http://127.0.0.1:${env.PORT}`;
    await ok(["up", "-d", "--wait", folder], env);
    expect(await page(url)).toBe("Visit 1\n");
    expect(await page(url)).toBe("Visit 2\n");
    await ok(["down", folder], env);
    await ok(["up", "-d", "--wait", folder], env);
    expect(await page(url)).toBe("Visit 3\n");
    await ok(["down", "-v", "-t", "1", folder], env);
  },
  MAKING,
);

test(
  "examples/two-versions shares requests between two versions",
  async () => {
    const env = { PORT: String(await freePort()) };
    await ok(["up", "-d", "--wait", join(examples, "two-versions")], env);
    const answers = new Map<string, number>();
    for (let count = 0; count < 40; count++) {
      const text = await page(`http://127.0.0.1:${env.PORT}`);
      answers.set(text, (answers.get(text) ?? 0) + 1);
    }
    expect([...answers].sort()).toEqual([
      ["version 1\n", 30],
      ["version 2\n", 10],
    ]);
    await ok(["down", "-v", "-t", "1", join(examples, "two-versions")], env);
  },
  MAKING,
);

test(
  "examples/workers works off its queue with every replica, and scales",
  async () => {
    const folder = join(examples, "workers");
    const env = { JOBS: "60" };
    await ok(["up", "-d", folder], env);
    const finished = async () =>
      (await engine.docker(["exec", "workers-queue-1", "redis-cli", "--raw", "GET", "finished"])).stdout;
    await until("all jobs are done", async () => (await finished()) === "60\n", { within: 60_000 });
    for (const number of [1, 2, 3])
      expect(await engine.ok(["logs", `workers-worker-${number}`])).toContain("does job-");
    await ok(["up", "-d", "--scale", "worker=5", folder], { JOBS: "0" });
    const replicas = await engine.ok(["ps", "-q", "--filter", "label=com.docker.compose.service=worker"]);
    expect(replicas.split("\n")).toHaveLength(5);
    await ok(["down", "-v", "-t", "1", folder], env);
  },
  MAKING,
);
