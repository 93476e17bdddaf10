import { describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { connect } from "node:tls";
import { cosign, DebianRegistry, freePort, HAVRE, oras, run, ServedRegistry, until, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const TYPES = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
const RULES = `version: 1
users: users
groups: {team: [ann]}
repositories:
  - match: "**"
    roles: {admin: [root]}
  - match: team/**
    roles: {push: [group:team], pull: [anonymous]}
    immutable: ["v*"]
audit: audit.jsonl
`;

/** Sends part of a body, and returns before the rest. */
function sendPart(url: string, part: Uint8Array, length: number): Promise<void> {
  return new Promise((resolve) => {
    const request = httpRequest(url, { method: "PATCH", headers: { "content-length": length } });
    request.on("error", () => {}); // The registry is killed.
    request.write(part, () => resolve());
  });
}

describe("killed in an upload", () => {
  test("what was acknowledged is there to be gone on with, and no half blob is seen", async () => {
    await using registry = new ServedRegistry();
    await registry.start();
    const bytes = randomBytes((3 << 20) + 12_345);
    const digest = sha256(bytes);
    const begun = await fetch(`${registry.url}/v2/app/blobs/uploads/`, { method: "POST" });
    const location = begun.headers.get("location") ?? "";
    const first = (2 << 20) + 77;
    const send = (method: string, path: string, body?: Uint8Array) =>
      fetch(`${registry.url}${path}`, { method, ...(body ? { body: body as Uint8Array<ArrayBuffer> } : {}) });
    const patched = await send("PATCH", location, bytes.subarray(0, first));
    expect([patched.status, patched.headers.get("range")]).toEqual([202, `0-${first - 1}`]);
    await registry.end("SIGKILL");
    await registry.start();
    expect((await send("GET", location)).headers.get("range")).toBe(`0-${first - 1}`);
    // Once more, in the middle of a request.
    await sendPart(`${registry.url}${location}`, bytes.subarray(first, first + (1 << 20)), bytes.length - first);
    await registry.end("SIGKILL");
    await registry.start();
    expect((await send("HEAD", `/v2/app/blobs/${digest}`)).status).toBe(404);
    const range = (await send("GET", location)).headers.get("range") ?? "";
    const offset = Number(range.split("-")[1]) + 1;
    expect(offset).toBeGreaterThanOrEqual(first);
    const done = await send("PUT", `${location}?digest=${digest}`, bytes.subarray(offset));
    expect(done.status).toBe(201);
    await registry.end("SIGKILL");
    await registry.start();
    const back = await send("GET", `/v2/app/blobs/${digest}`);
    expect(sha256(new Uint8Array(await back.arrayBuffer()))).toBe(digest);
  });
});

describe("as a user", () => {
  test("docker signs in, pushes what its role allows, and anybody pulls; an audit line tells of each", async () => {
    await using registry = new ServedRegistry();
    await registry.users("root", "ann", "bob");
    await registry.start("--config", registry.file("registry.yml", RULES));
    const { host } = registry;
    const ok = (args: readonly string[], options = {}) => engine.ok(args, options);
    const login = (name: string, password = name) =>
      engine.docker(["login", "-u", name, "--password-stdin", host], { input: password });
    expect((await login("ann", "wrong")).stderr).toContain("the name or the password is wrong");
    await ok(["tag", "bb", `${host}/team/app:v1`]);
    expect((await login("bob")).stdout).toContain("Login Succeeded");
    const denied = await engine.docker(["push", `${host}/team/app:v1`]);
    expect([denied.code, denied.stderr]).toEqual([1, expect.stringContaining("denied")]);
    expect((await login("ann")).stdout).toContain("Login Succeeded");
    const pushed = await ok(["push", `${host}/team/app:v1`]);
    const digest = /digest: (sha256:\w+)/.exec(pushed)?.[1] ?? "";
    expect((await ok(["logout", host])).trim()).toContain(`Removing login credentials for ${host}`);
    await ok(["rmi", `${host}/team/app:v1`]);
    expect(await ok(["pull", `${host}/team/app:v1`])).toContain(digest);
    expect((await engine.docker(["push", `${host}/team/app:v1`])).code).toBe(1);
    const audit = readFileSync(join(registry.folder, "audit.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const told = { repository: "team/app", remote: "127.0.0.1" };
    expect(audit).toContainEqual(
      expect.objectContaining({ action: "push", user: "ann", status: 201, digest, ...told }),
    );
    expect(audit).toContainEqual(expect.objectContaining({ action: "pull", status: 200, ...told }));
    expect(audit).toContainEqual(expect.objectContaining({ user: "bob", status: 403, ...told }));
    expect(audit).toContainEqual(expect.objectContaining({ action: "sign-in", status: 401 }));
  }, 60_000);

  test("space comes back by havre registry gc while it serves; settings that are wrong are not followed", async () => {
    await using registry = new ServedRegistry();
    const config = registry.file("registry.yml", "version: 1\n");
    await registry.start("--config", config);
    const bytes = randomBytes(1 << 20);
    const put = `${registry.url}/v2/app/blobs/uploads/?digest=${sha256(bytes)}`;
    expect((await fetch(put, { method: "POST", body: bytes })).status).toBe(201);
    const dry = await registry.command("gc", "--dry-run", "--grace", "0s");
    expect(dry.stdout).toBe("Would remove 1 blob from repositories and 1 file, 1.049MB\n");
    expect((await registry.command("gc")).stdout).toBe("Removed 0 blobs from repositories and 0 files, 0B\n");
    const done = await registry.command("gc", "--grace", "0s", "--json");
    expect(JSON.parse(done.stdout)).toEqual({ unlinked: 1, removed: 1, freed: 1 << 20, dryRun: false });
    registry.file("registry.yml", "version: 1\nusers:\n  - x\n");
    await until("the log tells", async () => registry.log.includes("registry.yml:3:3: users: expected a text"));
    expect((await fetch(`${registry.url}/v2/`)).status).toBe(200);
    await registry.users("ann");
    registry.file("registry.yml", "version: 1\nusers: users\n");
    await until("it is followed", async () => (await fetch(`${registry.url}/v2/`)).status === 401);
    const none = await run(HAVRE, ["registry", "gc", "--root", "/nowhere"]);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("No registry serves /nowhere")]);
  });

  test("a certificate is replaced without a restart, and a transfer under way goes on", async () => {
    await using registry = new ServedRegistry();
    const make = async (name: string) => {
      const [key, cert] = [join(registry.folder, `${name}.key`), join(registry.folder, `${name}.pem`)];
      // biome-ignore format: flag and value side by side
      const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-subj", `/CN=${name}`, "-days", "2"];
      expect((await run("openssl", args)).code).toBe(0);
      return { key, cert };
    };
    const [old, next] = [await make("old"), await make("next")];
    await registry.start("--tls-cert", old.cert, "--tls-key", old.key);
    const shown = () =>
      new Promise<string>((resolve, reject) => {
        const socket = connect({ host: "127.0.0.1", port: registry.port, rejectUnauthorized: false }, () => {
          resolve(String(socket.getPeerCertificate().subject.CN));
          socket.end();
        });
        socket.on("error", reject);
      });
    expect(await shown()).toBe("old");
    const body = new TransformStream<Uint8Array, Uint8Array>();
    const writer = body.writable.getWriter();
    const upload = fetch(`https://${registry.host}/v2/app/blobs/uploads/?digest=${sha256(Buffer.from("onetwo"))}`, {
      method: "POST",
      body: body.readable,
      tls: { rejectUnauthorized: false },
    });
    await writer.write(Buffer.from("one"));
    renameSync(next.key, old.key);
    renameSync(next.cert, old.cert);
    await until("the new one is shown", async () => (await shown()) === "next");
    await writer.write(Buffer.from("two"));
    await writer.close();
    expect((await upload).status).toBe(201);
    writeFileSync(old.cert, "nonsense");
    await until("the log tells", async () => registry.log.includes("files not followed"));
    expect(await shown()).toBe("next");
  });
});

describe("with other tools", () => {
  test("an image goes round through skopeo and Debian's registry with one digest", async () => {
    await using registry = new ServedRegistry();
    await registry.start();
    const copy = async (...words: readonly string[]) => {
      const args = ["copy", "-q", "--insecure-policy", "--src-tls-verify=false", "--dest-tls-verify=false", ...words];
      const outcome = await run("skopeo", args);
      if (outcome.code !== 0) throw new Error(outcome.stderr);
    };
    const debian = new DebianRegistry(join(registry.folder, "debian"), await freePort(), false);
    try {
      await debian.ready();
      const digestOf = async (host: string, name: string) => {
        const answer = await fetch(`http://${host}/v2/${name}/manifests/1`, { headers: { accept: TYPES } });
        return answer.headers.get("docker-content-digest");
      };
      await engine.ok(["tag", "bb", `${registry.host}/a:1`]);
      const pushed = /digest: (sha256:\w+)/.exec(await engine.ok(["push", `${registry.host}/a:1`]))?.[1] ?? "none";
      for (const format of ["oci", "v2s2"]) {
        const layout = `dir:${registry.folder}/${format}`;
        await copy("--format", format, `docker://${registry.host}/a:1`, layout);
        await copy("--preserve-digests", layout, `docker://${registry.host}/${format}/b:1`);
        await copy(
          "--preserve-digests",
          `docker://${registry.host}/${format}/b:1`,
          `docker://${debian.host}/${format}/c:1`,
        );
        await copy(
          "--preserve-digests",
          `docker://${debian.host}/${format}/c:1`,
          `docker://${registry.host}/${format}/d:1`,
        );
        const digest = await digestOf(registry.host, `${format}/b`);
        expect(digest).toStartWith("sha256:");
        expect(await digestOf(debian.host, `${format}/c`)).toBe(digest);
        expect(await digestOf(registry.host, `${format}/d`)).toBe(digest);
        await engine.ok(["pull", `${registry.host}/${format}/d@${digest}`]);
      }
      expect(await digestOf(registry.host, "a")).toBe(pushed);
    } finally {
      await debian.end();
    }
  }, 60_000);

  test("oras pushes, attaches and finds; cosign signs and verifies", async () => {
    await using registry = new ServedRegistry();
    await registry.users("root", "ann");
    await registry.start("--config", registry.file("registry.yml", RULES));
    const home = join(registry.folder, "home");
    mkdirSync(home);
    registry.file("home/hello.txt", "hello\n");
    registry.file("home/sbom.json", "{}");
    const name = `${registry.host}/team/thing`;
    const env = { HOME: home, DOCKER_CONFIG: join(home, ".docker"), COSIGN_PASSWORD: "" };
    const ok = async (command: string, ...args: readonly string[]) => {
      const outcome = await run(command, args, { env, cwd: home, timeout: 60_000 });
      if (outcome.code !== 0) throw new Error(`${args.join(" ")}: ${outcome.stdout}${outcome.stderr}`);
      return outcome.stdout;
    };
    await ok(oras(), "login", "--plain-http", "-u", "ann", "-p", "ann", registry.host);
    await ok(oras(), "push", "--plain-http", `${name}:v1`, "hello.txt:text/plain");
    await ok(oras(), "attach", "--plain-http", "--artifact-type", "a/sbom", `${name}:v1`, "sbom.json:application/json");
    expect(await ok(oras(), "discover", "--plain-http", "--artifact-type", "a/sbom", `${name}:v1`)).toContain("a/sbom");
    await ok(oras(), "pull", "--plain-http", `${name}:v1`, "-o", "out");
    expect(readFileSync(join(home, "out/hello.txt"), "utf8")).toBe("hello\n");
    const digest = (await ok(oras(), "resolve", "--plain-http", `${name}:v1`)).trim();
    const registryFlags = ["--allow-insecure-registry", "--allow-http-registry"];
    await ok(cosign(), "generate-key-pair");
    await ok(
      cosign(),
      "sign",
      "--key",
      "cosign.key",
      "--tlog-upload=false",
      ...registryFlags,
      "--yes",
      `${name}@${digest}`,
    );
    // biome-ignore format: flag and value side by side
    const verified = await ok(cosign(), "verify", "--key", "cosign.pub", "--insecure-ignore-tlog", "--private-infrastructure", ...registryFlags, `${name}@${digest}`);
    expect(verified).toContain(digest);
  }, 120_000);
});
