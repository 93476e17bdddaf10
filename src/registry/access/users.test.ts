import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestRegistry } from "../testing/test-registry.ts";
import { verifyPassword } from "./bun-password.ts";
import { Users } from "./users.ts";

const basic = (name: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`,
});

test("only users get in, and the file is obeyed as it is now", async () => {
  const folder = mkdtempSync(join(tmpdir(), "havre-htpasswd-"));
  const path = join(folder, "htpasswd");
  const line = async (name: string, password: string) =>
    `${name}:${(await Bun.password.hash(password, { algorithm: "bcrypt", cost: 4 })).replace("$2b$", "$2y$")}\n`;
  try {
    writeFileSync(path, `# users\n${await line("ann", "se:cret")}`);
    await using registry = new TestRegistry({ settings: { users: path } });
    const status = async (headers: Record<string, string>, path = "/v2/") =>
      (await registry.send("GET", path, undefined, headers)).status;
    const anonymous = await registry.send("GET", "/v2/");
    expect([anonymous.status, anonymous.headers.get("www-authenticate")]).toEqual([
      401,
      'Basic realm="Havre registry"',
    ]);
    expect(await status(basic("ann", "se:cret"))).toBe(200);
    expect(await status(basic("ann", "se:cret"))).toBe(200);
    expect(await status(basic("ann", "wrong"))).toBe(401);
    expect(await status(basic("bob", "se:cret"))).toBe(401);
    expect(await status({ authorization: "Basic !" })).toBe(401);
    for (const where of ["/v2/_catalog", "/v2/a/tags/list", "/v2/a/manifests/b", "/v2/a/blobs/uploads/x"]) {
      expect(await status({}, where)).toBe(401);
    }
    expect((await registry.send("POST", "/v2/a/blobs/uploads/")).status).toBe(401);
    writeFileSync(path, await line("bob", "other-secret"));
    expect(await status(basic("ann", "se:cret"))).toBe(401);
    expect(await status(basic("bob", "other-secret"))).toBe(200);
    writeFileSync(path, "ann:{SHA}weak\n");
    expect(() => new Users(path, verifyPassword)).toThrow(`${path}:1 is not NAME:BCRYPT-HASH`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
