import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registryAuthHeader, SignIns } from "./sign-ins.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "havre-sign-ins-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const env = () => ({ DOCKER_CONFIG: folder });
const file = () => join(folder, "config.json");

test("what docker wrote is found, what havre writes docker finds, other settings stay", async () => {
  const auth = Buffer.from("ann:se:cret").toString("base64");
  writeFileSync(file(), JSON.stringify({ auths: { "https://index.docker.io/v1/": { auth } }, psFormat: "x" }));
  const signIns = new SignIns(env());
  expect(await signIns.find("docker.io")).toMatchObject({ username: "ann", password: "se:cret" });
  await signIns.store("r.example:5000", { username: "bob", password: "p", serveraddress: "r.example:5000" });
  const written = JSON.parse(readFileSync(file(), "utf8"));
  expect(written.psFormat).toBe("x");
  expect(written.auths["r.example:5000"]).toEqual({ auth: Buffer.from("bob:p").toString("base64") });
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(await signIns.erase("r.example:5000")).toBe(true);
  expect(await signIns.erase("r.example:5000")).toBe(false);
  expect(await signIns.find("r.example:5000")).toBeUndefined();
});

test("a file that is no JSON is named, one that is missing is no sign-in", async () => {
  expect(await registryAuthHeader(env(), "r.example")).toEqual({});
  writeFileSync(file(), "{");
  await expect(registryAuthHeader(env(), "r.example")).rejects.toThrow(file());
});

test("a credential helper is asked, told and made to forget", async () => {
  const log = join(folder, "log");
  const helper = join(folder, "docker-credential-test");
  writeFileSync(
    helper,
    `#!/bin/sh\nread -r line\necho "$1 $line" >> ${log}\n[ "$1" = get ] && { [ "$line" = r.example ] && echo '{"Username":"ann","Secret":"s"}' || { echo "credentials not found in native keychain"; exit 1; }; }\nexit 0\n`,
  );
  chmodSync(helper, 0o755);
  writeFileSync(file(), JSON.stringify({ credsStore: "test" }));
  const path = process.env.PATH;
  process.env.PATH = `${folder}:${path}`;
  try {
    const signIns = new SignIns(env());
    expect(await signIns.find("r.example")).toEqual({ username: "ann", password: "s", serveraddress: "r.example" });
    expect(await signIns.find("other.example")).toBeUndefined();
    await signIns.store("r.example", { username: "bob", password: "p", serveraddress: "r.example" });
    expect(readFileSync(file(), "utf8")).not.toContain(Buffer.from("bob:p").toString("base64"));
    await signIns.erase("r.example");
    expect(readFileSync(log, "utf8")).toContain('store {"ServerURL":"r.example","Username":"bob","Secret":"p"}');
    expect(readFileSync(log, "utf8")).toContain("erase r.example");
  } finally {
    process.env.PATH = path;
  }
});
