import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { HAVRE, run, TerminalSession, useEngine } from "./harness/mod.ts";

const engine = useEngine();

function context(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(engine.folder, "context-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

const build = (...args: readonly string[]) => engine.havre(["build", ...args]);

test("builds, with arguments and secrets that stay out of the image; says what it did line by line", async () => {
  const folder = context({
    Dockerfile: `
      FROM bb AS one
      ARG WHO
      RUN --mount=type=secret,id=token,target=/token,mode=0444,uid=5 cat /token && echo "$WHO" > /who
      RUN --mount=type=secret,id=token,env=TOKEN echo "in a variable: $TOKEN"
      FROM one
      COPY --from=one /who /again
      COPY . /ctx`,
    ".dockerignore": "left-out",
    "left-out": "",
    kept: "",
    token: "s3cret",
  });
  const ids = join(engine.folder, "id");
  const secret = `id=token,src=${join(folder, "token")}`;
  const first = await build("-t", "e2e-native", "--build-arg", "WHO=me", "--secret", secret, "--iidfile", ids, folder);
  expect(first).toMatchObject({ code: 0, stdout: "" });
  expect(first.stderr).toMatch(/#\d+ \[one 2\/3\] RUN --mount=type=secret/);
  expect(first.stderr).toMatch(/#\d+ \d\.\d s3cret/);
  expect(first.stderr).toContain("in a variable: s3cret");
  expect(readFileSync(ids, "utf8")).toBe(await engine.inspect<string>("e2e-native", "{{json .Id}}"));
  const seen = await engine.ok([
    "run",
    "--rm",
    "e2e-native",
    "sh",
    "-c",
    "cat /who /again; ls -A /ctx; ls /token 2>&1 | grep -c such",
  ]);
  expect(seen.split("\n")).toEqual(["me", "me", ".dockerignore", "Dockerfile", "kept", "token", "1"]);
  const history = await engine.ok(["history", "--no-trunc", "--format", "{{.CreatedBy}}", "e2e-native"]);
  expect(history).not.toContain("s3cret");
  expect(history).toContain('RUN |1 WHO=me /bin/sh -c cat /token && echo "$WHO" > /who # buildkit');
  const again = await build("-q", "--build-arg", "WHO=me", "--secret", secret, folder);
  expect(again).toMatchObject({ code: 0, stdout: `${readFileSync(ids, "utf8")}\n`, stderr: "" });
  const without = await build("--build-arg", "WHO=you", folder);
  expect(without.stderr).toContain("can't open '/token'");
  await engine.ok(["rmi", "-f", "e2e-native"]);
});

test("a required secret that is not given is missed by name", async () => {
  const folder = context({ Dockerfile: "FROM bb\nRUN --mount=type=secret,id=token,required=true true\n" });
  const { code, stderr } = await build(folder);
  expect(code).toBe(1);
  expect(stderr).toContain("secret token: not found\nGive it to the build: --secret id=token,src=FILE");
});

test("names stand for folders and images that are given; rights beyond a container's are granted by who builds", async () => {
  const folder = context({
    "main/Dockerfile": "FROM base\nCOPY --from=more a /a\nCOPY . /ctx\nRUN --security=insecure test -w /proc/sys\n",
    "more/a": "of more",
    "more/.dockerignore": "b",
    "more/b": "",
  });
  const given = ["--build-context", `more=${join(folder, "more")}`, "--build-context", "base=docker-image://bb"];
  const refused = await build(...given, join(folder, "main"));
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("security.insecure is not allowed");
  const made = await build("-t", "e2e-contexts", ...given, "--allow", "security.insecure", join(folder, "main"));
  expect(made).toMatchObject({ code: 0, stdout: "" });
  expect(await engine.ok(["run", "--rm", "e2e-contexts", "sh", "-c", "cat /a; ls /ctx"])).toBe("of moreDockerfile");
  await engine.ok(["rmi", "-f", "e2e-contexts"]);
});

test("a step that fails is shown with its lines and its last output; its code is the build's", async () => {
  const folder = context({ Dockerfile: "FROM bb\nRUN echo fine\nRUN echo last words; \\\n  exit 9\n" });
  const { code, stderr } = await build(folder);
  expect(code).toBe(9);
  expect(stderr).toContain(" > [3/3] RUN echo last words;   exit 9:\nlast words\n------\nDockerfile:3\n");
  expect(stderr).toContain("   3 | >>> RUN echo last words; \\\n   4 | >>>   exit 9\n");
  expect(stderr).toContain("havre build --debug");
});

test("--debug opens a shell in the state before the step, and leaves nothing of it", async () => {
  const before = await engine.ok(["images", "-aq"]);
  const folder = context({ Dockerfile: "FROM bb\nENV A=b\nWORKDIR /made\nRUN touch x; exit 1\n" });
  const { root, run: runFolder } = engine.own;
  const env = { HAVRE_ROOT: root, HAVRE_RUN: runFolder };
  const session = new TerminalSession([HAVRE, "build", "--debug", folder], env);
  await session.shows(/made # /);
  session.type("echo $A in $PWD with $(ls | wc -l) files; exit\n");
  expect(await session.exited()).toBe(1);
  expect(session.screen).toContain("b in /made with 0 files");
  expect(await engine.ok(["images", "-aq"])).toBe(before);
});

test("--check only warns", async () => {
  const folder = context({ Dockerfile: "FROM bb as x\nRUN exit 1\n" });
  const { code, stderr } = await build("--check", folder);
  expect(code).toBe(1);
  expect(stderr).toContain("FromAsCasing");
  expect(stderr).toContain("   1 | >>> FROM bb as x");
  const clean = await build("--check", context({ Dockerfile: "FROM bb\nRUN exit 1\n" }));
  expect(clean).toMatchObject({ code: 0, stderr: "Check complete, no warnings found.\n" });
});

test("results go into a folder or an archive", async () => {
  const folder = context({ Dockerfile: "FROM scratch\nCOPY a /dir/a\n", a: "content" });
  const out = join(engine.folder, "out");
  expect((await build("-o", out, folder)).code).toBe(0);
  expect(readFileSync(join(out, "dir/a"), "utf8")).toBe("content");
  const tar = join(engine.folder, "out.tar");
  expect((await build("-o", `type=tar,dest=${tar}`, folder)).code).toBe(0);
  expect((await run("tar", ["-xOf", tar, "dir/a"])).stdout).toBe("content");
  const oci = join(engine.folder, "oci.tar");
  expect((await build("-t", "e2e-oci", "-o", `type=oci,dest=${oci}`, folder)).code).toBe(0);
  expect((await run("tar", ["-tf", oci])).stdout).toContain("oci-layout");
  await engine.ok(["rmi", "e2e-oci"]);
  expect(readdirSync(join(engine.own.root, "builder/contexts"))).toEqual([]);
});

test("--squash makes one layer of all that the build made, without what it removed again", async () => {
  const folder = context({
    Dockerfile: `
      FROM bb AS base
      RUN mkdir -p /d/old /gone && touch /d/old/f /gone/f /kept
      FROM base
      RUN dd if=/dev/zero of=/big bs=1k count=500 2>/dev/null && echo 1 > /changed
      RUN rm -r /big /gone /d && mkdir /d && touch /d/new && echo 2 > /changed && rm /bin/yes`,
  });
  expect((await build("-t", "e2e-squash", "--squash", folder)).code).toBe(0);
  const layers = await engine.inspect<readonly string[]>("e2e-squash", "{{json .RootFS.Layers}}");
  const below = await engine.inspect<readonly string[]>("bb", "{{json .RootFS.Layers}}");
  expect(layers.slice(0, -1)).toEqual([...below]);
  const seen = await engine.ok([
    "run",
    "--rm",
    "e2e-squash",
    "sh",
    "-c",
    "ls -d /d/* /gone /big /kept /bin/yes 2>&1; cat /changed",
  ]);
  expect(seen.split("\n").toSorted()).toEqual([
    "/d/new",
    "/kept",
    "2",
    "ls: /big: No such file or directory",
    "ls: /bin/yes: No such file or directory",
    "ls: /gone: No such file or directory",
  ]);
  expect(await engine.ok(["history", "--format", "{{.Size}}", "e2e-squash"])).not.toContain("512kB");
  await engine.ok(["rmi", "-f", "e2e-squash"]);
});

test("of a large context only what changed is sent again", async () => {
  const folder = context({ Dockerfile: "FROM bb\nCOPY . /c\n", big: "x".repeat(1 << 20), small: "1", "d/e": "2" });
  expect((await build("-t", "e2e-kept", folder)).code).toBe(0);
  const kept = join(engine.own.root, "builder/kept");
  const [key = ""] = readdirSync(kept);
  const size = () => statSync(join(kept, key, "data")).size;
  const before = size();
  writeFileSync(join(folder, "small"), "333");
  rmSync(join(folder, "d/e"));
  expect((await build("-t", "e2e-kept", folder)).code).toBe(0);
  expect(size() - before).toBeLessThan(100);
  const seen = await engine.ok([
    "run",
    "--rm",
    "e2e-kept",
    "sh",
    "-c",
    "wc -c < /c/big; cat /c/small; ls /c/d | wc -l",
  ]);
  expect(seen.split(/\s+/)).toEqual([String(1 << 20), "3330"]);
  await engine.ok(["builder", "prune", "-af"]);
  expect(readdirSync(kept)).toEqual([]);
  await engine.ok(["rmi", "e2e-kept"]);
});
