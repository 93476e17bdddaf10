import { afterEach, describe, expect, test } from "bun:test";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { dockerCli } from "./harness/docker-cli.ts";
import { type Outcome, run, until, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const ok = engine.ok.bind(engine);

/** Files of a build context by path; the Dockerfile among them. */
type Files = Readonly<Record<string, string>>;

function context(files: Files): string {
  const folder = mkdtempSync(join(engine.folder, "context-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** `docker build` through the API that there was before BuildKit. */
function build(folder: string, ...flags: readonly string[]): Promise<Outcome> {
  return engine.docker(["build", "-t", "e2e-built", ...flags, folder], { env: { DOCKER_BUILDKIT: "0" } });
}

async function built(folder: string, ...flags: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await build(folder, ...flags);
  if (code !== 0) throw new Error(`docker build exited with ${code}: ${stdout}${stderr}`);
  return stdout;
}

function inImage(script: string): Promise<string> {
  return ok(["run", "--rm", "--entrypoint", "/bin/sh", "e2e-built", "-c", script]);
}

afterEach(async () => {
  await engine.docker(["rmi", "-f", "e2e-built"]);
});

describe("a build", () => {
  test("runs, copies, and says what the image is", async () => {
    await engine.loadBusybox();
    const folder = context({
      Dockerfile: `
        FROM bb
        ARG WHO=world
        ENV GREETING="hello $WHO"
        WORKDIR /srv/app
        COPY data.txt ./
        RUN echo "$GREETING" > greeting && cat data.txt
        LABEL who=$WHO
        USER nobody
        EXPOSE 80
        CMD ["cat", "greeting"]`,
      "data.txt": "some data\n",
    });
    const story = await built(folder);
    expect(story).toContain("Step 6/10 : RUN echo");
    expect(story).toContain("\nsome data\n");
    expect(story).toMatch(/ ---> Running in [0-9a-f]{12}\n/);
    expect(story).toMatch(/Successfully built [0-9a-f]{12}\nSuccessfully tagged e2e-built:latest\n$/);
    expect(await ok(["run", "--rm", "e2e-built"])).toBe("hello world");
    expect(await engine.inspect("e2e-built", "{{json .Config}}")).toMatchObject({
      User: "nobody",
      WorkingDir: "/srv/app",
      Labels: { who: "world" },
      ExposedPorts: { "80/tcp": {} },
      Cmd: ["cat", "greeting"],
    });
    expect(await inImage("stat -c '%U %a' data.txt; ls /srv/app")).toBe("root 644\ndata.txt\ngreeting");
  });

  test("gets the labels it was asked for, with no step too", async () => {
    await built(context({ Dockerfile: "FROM bb\n" }), "--label", "who=me");
    expect(await engine.inspect("e2e-built", "{{json .Config.Labels}}")).toEqual({ who: "me" });
  });

  test("made again is the same image, from the cache, though every file was touched", async () => {
    await engine.loadBusybox();
    const folder = context({ Dockerfile: "FROM bb\nCOPY . /ctx\nRUN date +%s%N > /when\n", "a/file": "1" });
    await built(folder);
    const id = await engine.inspect("e2e-built", "{{json .Id}}");
    utimesSync(join(folder, "a/file"), 1, 1);
    const clone = context({});
    cpSync(folder, clone, { recursive: true });
    for (const again of [folder, clone]) {
      const story = await built(again);
      expect(story.match(/Using cache/g)).toHaveLength(2);
      expect(await engine.inspect<string>("e2e-built", "{{json .Id}}")).toBe(id as string);
    }
    chmodSync(join(folder, "a/file"), 0o755);
    expect(await built(folder)).not.toContain("Using cache");
  });

  test("runs again what comes after a file that changed, and all of it when asked", async () => {
    await engine.loadBusybox();
    const folder = context({ Dockerfile: "FROM bb\nRUN echo one > /one\nCOPY f /f\nRUN echo two > /two\n", f: "1" });
    await built(folder);
    writeFileSync(join(folder, "f"), "2");
    expect((await built(folder)).match(/Using cache/g)).toHaveLength(1);
    expect(await inImage("cat /f")).toBe("2");
    expect(await built(folder, "--no-cache")).not.toContain("Using cache");
    // The cache of images that are named: of none that is here, nothing.
    expect(await built(folder, "--cache-from", "e2e-none")).not.toContain("Using cache");
    const noted = context({ Dockerfile: "FROM bb\nENV A=b\nRUN true\n" });
    await built(noted);
    expect(await built(noted, "--cache-from", "e2e-none")).not.toContain("Using cache");
    expect(await built(folder, "--cache-from", "e2e-none", "--cache-from", "e2e-built")).toContain("Using cache");
  });

  test("that fails exits with the step's code, says what failed and leaves no image", async () => {
    await engine.loadBusybox();
    const before = await ok(["images", "-aq"]);
    const folder = context({ Dockerfile: "FROM bb\nRUN echo before\nRUN echo to-stderr >&2; exit 7\n" });
    const { code, stdout, stderr } = await build(folder);
    expect(code).toBe(7);
    expect(stderr).toContain("The command '/bin/sh -c echo to-stderr >&2; exit 7' returned a non-zero code: 7");
    expect(stdout + stderr).toContain("to-stderr");
    expect(await ok(["images", "-aq"])).toBe(before);
  });

  test("is confined as a container and stopped with its client", async () => {
    await engine.loadBusybox();
    const folder = context({
      Dockerfile:
        "FROM bb\nRUN id -u && ls /proc | grep -c '^[0-9]' && ip addr show eth0 && touch /sys/x 2>&1 || true\n",
    });
    const story = await built(folder);
    expect(story).toContain("Read-only file system");
    expect(story).toMatch(/inet \d+\.\d+\.\d+\.\d+/);
    const none = context({ Dockerfile: "FROM bb\nRUN ip addr | grep -c eth0 || true\n" });
    expect(await built(none, "--network", "none")).toContain("\n0\n");
  });

  test("of one date is one image, whenever and however often it is made", async () => {
    await engine.loadBusybox();
    const files = { Dockerfile: "FROM bb\nCOPY f /new/f\nRUN mkdir /made && echo x > /made/x\nWORKDIR /w\n", f: "1" };
    const ids = [];
    for (let time = 0; time < 2; time++) {
      await built(context(files), "--no-cache", "--build-arg", "SOURCE_DATE_EPOCH=1600000000");
      ids.push(await engine.inspect<string>("e2e-built", "{{json .Id}}"));
      await ok(["rmi", "-f", "e2e-built"]);
      await ok(["builder", "prune", "-af"]);
    }
    expect(ids[1]).toBe(ids[0] as string);
    await built(context(files), "--build-arg", "SOURCE_DATE_EPOCH=1600000000");
    expect(await engine.inspect<string>("e2e-built", "{{json .Created}}")).toBe("2020-09-13T12:26:40Z");
    expect(await inImage("stat -c %Y /made /made/x /new /w | sort -u")).toBe("1600000000");
  });

  test("takes files of other stages, and builds only those it needs", async () => {
    await engine.loadBusybox();
    const folder = context({
      Dockerfile: `
        FROM bb AS tools
        RUN mkdir -p /out/bin && echo tool > /out/bin/tool && ln -s bin/tool /out/link
        FROM bb AS unused
        RUN exit 1
        FROM scratch AS slim
        COPY --from=bb /bin/busybox /bin/busybox
        COPY --from=bb /bin/busybox /bin/sh
        COPY --from=tools --chown=12:34 /out /opt/
        COPY --from=0 /out/link /followed
        CMD ["/bin/sh"]`,
    });
    await built(folder);
    const seen = await ok([
      "run",
      "--rm",
      "e2e-built",
      "/bin/sh",
      "-c",
      "busybox cat /opt/bin/tool /followed && [ -L /opt/link ] && echo link",
    ]);
    expect(seen).toBe("tool\ntool\nlink");
    expect(await built(folder, "--target", "tools")).toContain("Successfully tagged");
    expect((await build(folder, "--target", "nowhere")).stderr).toContain('target stage "nowhere" could not be found');
  });
});

describe("copying", () => {
  test("follows Docker's rules for folders, slashes and links at the destination", async () => {
    await engine.loadBusybox();
    const folder = context({
      Dockerfile: `
        FROM bb
        RUN mkdir -p /real/deep && ln -s real /link && ln -s /real/deep /absolute && echo old > /real/keep
        COPY a.txt /link/
        COPY a.txt /absolute/renamed
        COPY dir /link
        COPY a.txt b.txt /both/
        COPY *.txt dir/c? /globbed/
        COPY a.txt /made/on/the/way/file
        WORKDIR /work
        COPY a.txt .
        COPY --chown=nobody:nogroup dir /owned/`,
      "a.txt": "a",
      "b.txt": "b",
      "dir/c1": "c",
      "dir/sub/d": "d",
    });
    await built(folder);
    const files = "cd / && find real both globbed made work owned -type f | sort";
    expect((await inImage(files)).split("\n")).toEqual(
      [
        ["both/a.txt", "both/b.txt"],
        ["globbed/a.txt", "globbed/b.txt", "globbed/c1"],
        ["made/on/the/way/file", "owned/c1", "owned/sub/d"],
        ["real/a.txt", "real/c1", "real/deep/renamed", "real/keep", "real/sub/d", "work/a.txt"],
      ].flat(),
    );
    expect(await inImage("readlink /link; readlink /absolute")).toBe("real\n/real/deep");
    expect(await inImage("stat -c '%a %U %G' /owned/c1 /owned/sub")).toBe("644 nobody nogroup\n755 nobody nogroup");
    const chmod = context({
      Dockerfile: "FROM bb\nCOPY --chmod=4711 f /f\nCOPY --chmod=u=rwX,go=rX f d /g/\n",
      f: "",
      "d/x": "",
    });
    await built(chmod);
    expect(await inImage("stat -c %a /f /g /g/f /g/x")).toBe("4711\n755\n644\n644");
    for (const [source, place] of [
      ["missing", "/x"],
      ["../outside", "/x"],
    ] as const) {
      const failed = await build(context({ Dockerfile: `FROM bb\nCOPY ${source} ${place}\n` }));
      expect(failed.code).not.toBe(0);
      expect(failed.stderr).toContain(
        "COPY failed: file not found in build context or excluded by .dockerignore: stat ",
      );
    }
  });

  test("puts in what is in archives, keeps parents, leaves out what is excluded or ignored", async () => {
    await engine.loadBusybox();
    const folder = context({
      Dockerfile: `
        FROM bb
        ADD packed.tar.gz /unpacked/
        ADD --unpack=false packed.tar.gz /kept/
        COPY --parents src/./a/b/one src/two /parents/
        COPY --exclude=**/*.md src /chosen/
        COPY . /all/
        COPY <<ONE <<"TWO" /inline/
path is $PATH
ONE
path is $PATH
TWO`,
      ".dockerignore": "ignored\n!ignored/back\n",
      "src/a/b/one": "1",
      "src/a/note.md": "",
      "src/two": "2",
      "ignored/gone": "",
      "ignored/back": "",
    });
    await run("tar", ["-C", join(folder, "src"), "-czf", join(folder, "packed.tar.gz"), "a"]);
    await built(folder);
    const files = "cd / && find unpacked kept parents chosen all/ignored inline -type f | sort";
    expect((await inImage(files)).split("\n")).toEqual([
      "all/ignored/back",
      "chosen/a/b/one",
      "chosen/two",
      "inline/ONE",
      "inline/TWO",
      "kept/packed.tar.gz",
      "parents/a/b/one",
      "parents/src/two",
      "unpacked/a/b/one",
      "unpacked/a/note.md",
    ]);
    expect(await inImage("cat /inline/TWO; grep -c bin /inline/ONE")).toBe("path is $PATH\n1");
  });

  test("fetches from the web and from git, verified where asked", async () => {
    await engine.loadBusybox();
    const source = context({ "sub/file": "from git" });
    await run("sh", [
      "-c",
      `cd ${source} && git init -qb main . && git add -A && git -c user.name=t -c user.email=t@t commit -qm one && git update-server-info`,
    ]);
    using web = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request) => {
        const path = new URL(request.url).pathname;
        const file = Bun.file(path.startsWith("/r.git/") ? join(source, ".git", path.slice(7)) : join(source, path));
        return file.exists().then((there) => new Response(there ? file : null, { status: there ? 200 : 404 }));
      },
    });
    const base = `http://127.0.0.1:${web.port}`;
    const sum = new Bun.CryptoHasher("sha256").update("from git").digest("hex");
    const dockerfile = (checksum: string) => `
      FROM bb
      ADD --checksum=sha256:${checksum} ${base}/sub/file /web/
      ADD ${base}/r.git#main:sub /git/`;
    await built(context({ Dockerfile: dockerfile(sum) }));
    expect(await inImage("cat /web/file /git/file; stat -c %a /web/file")).toBe("from gitfrom git600");
    const wrong = await build(context({ Dockerfile: dockerfile("0".repeat(64)) }));
    expect(wrong.stderr).toContain("digest mismatch");
    const missing = await build(context({ Dockerfile: `FROM bb\nADD ${base}/nothing /x\n` }));
    expect(missing.stderr).toContain("invalid response status 404");
  });

  test("with --link is known whatever it is laid upon", async () => {
    await engine.loadBusybox();
    const dockerfile = (before: string) =>
      `FROM bb\nRUN echo ${before} > /before\nCOPY --link f /deep/down/f\nRUN cat /before /deep/down/f\n`;
    await built(context({ Dockerfile: dockerfile("one"), f: "linked\n" }));
    const layers = await engine.inspect<readonly string[]>("e2e-built", "{{json .RootFS.Layers}}");
    const story = await built(context({ Dockerfile: dockerfile("two"), f: "linked\n" }));
    expect(story).toContain("two\nlinked\n");
    const again = await engine.inspect<readonly string[]>("e2e-built", "{{json .RootFS.Layers}}");
    expect(again[2]).toBe(layers[2] as string);
    expect(again[1]).not.toBe(layers[1] as string);
  });
});

describe("running", () => {
  test("with mounts: caches stay, the rest leaves nothing behind", async () => {
    await engine.loadBusybox();
    const line = (
      text: string,
    ) => `RUN --mount=type=cache,id=e2e,target=/cache,mode=0711,uid=12 --mount=type=tmpfs,target=/t \\
      --mount=type=bind,source=f,target=/mnt/f --mount=type=bind,from=bb,source=/bin,target=/tools \\
      echo ${text} >> /cache/log && /tools/cat /mnt/f /cache/log && stat -c '%a %u' /cache && grep -c ' /t tmpfs' /proc/mounts\n`;
    const first = await built(context({ Dockerfile: `FROM bb\n${line("one")}`, f: "bound\n" }));
    expect(first).toContain("\nbound\none\n711 12\n1\n");
    const second = await built(context({ Dockerfile: `FROM bb\n${line("two")}`, f: "bound\n" }));
    expect(second).toContain("\nbound\none\ntwo\n711 12\n1\n");
    expect(await inImage("ls -d /cache /t /mnt /tools 2>&1 | grep -vc 'No such file'; true")).toBe("0");
    const locked = await built(
      context({ Dockerfile: "FROM bb\nRUN --mount=type=bind,source=f,target=/f echo x > /f || echo refused\n", f: "" }),
    );
    expect(locked).toContain("refused");
  });

  test("stops with its client and leaves no process", async () => {
    await engine.loadBusybox();
    const folder = context({ Dockerfile: "FROM bb\nRUN echo begun; exec sleep 98765\n" });
    const { env } = engine;
    const child = Bun.spawn([dockerCli(), "build", folder], {
      env: { ...process.env, ...env, DOCKER_BUILDKIT: "0" },
      stdout: "pipe",
      stderr: "ignore",
    });
    let text = "";
    for await (const chunk of child.stdout) {
      text += Buffer.from(chunk).toString();
      if (text.includes("begun")) break;
    }
    child.kill("SIGKILL");
    await child.exited;
    await until("the step's process is gone", async () => (await run("pgrep", ["-f", "^sleep 98765"])).stdout === "");
  });
});

describe("what builds leave for builds to come", () => {
  const DOCKERFILE =
    "FROM bb\nRUN --mount=type=cache,id=kept,target=/c cat /proc/sys/kernel/random/uuid | tee /made > /c/made\n";

  test("outlives the image, is accounted for, and goes when it is pruned", async () => {
    await engine.loadBusybox();
    await engine.docker(["builder", "prune", "-af"]);
    const folder = context({ Dockerfile: DOCKERFILE });
    await built(folder);
    const made = await inImage("cat /made");
    await ok(["rmi", "-f", "e2e-built"]);
    await built(folder);
    expect(await inImage("cat /made")).toBe(made);
    const usage = (await engine.api("GET", "/system/df?type=build-cache").then((answer) => answer.json())) as {
      BuildCache: { Type: string; Shared: boolean; Size: number; UsageCount: number }[];
    };
    expect(usage.BuildCache).toMatchObject([
      { Type: "regular", Shared: true, Size: 37, UsageCount: 2 },
      { Type: "exec.cachemount", Shared: false, Size: 37 },
    ]);
    // What an image has frees nothing.
    expect(await ok(["builder", "prune", "-f"])).toContain("Total reclaimed space: 37B");
    expect(await ok(["builder", "prune", "-af"])).toContain("Total reclaimed space: 0B");
    await built(folder);
    expect(await inImage("cat /made")).not.toBe(made);
    await ok(["rmi", "-f", "e2e-built"]);
    expect((await engine.havre(["builder", "du"])).stdout).toContain("cached mount kept");
    expect((await engine.havre(["builder", "prune", "-f"])).stdout).toContain("Total reclaimed space: 74B");
    expect((await engine.havre(["builder", "du", "--json"])).stdout).toBe("[]\n");
  });

  test("is whole after a kill in the middle of a build, of which nothing is left", async () => {
    await engine.loadBusybox();
    const folder = context({ Dockerfile: "FROM bb\nRUN date > /first\nRUN echo begun; exec sleep 87654\n" });
    const building = build(folder);
    const running = async () => (await run("pgrep", ["-f", "^sleep 87654"])).stdout !== "";
    await until("the step runs", running);
    await engine.own.kill();
    expect((await building).code).not.toBe(0);
    await engine.own.start();
    await until("the step's process is gone", async () => !(await running()));
    writeFileSync(join(folder, "Dockerfile"), "FROM bb\nRUN date > /first\nRUN true\n");
    expect(await built(folder)).toContain("Using cache");
    expect(readdirSync(join(engine.own.run, "build"))).toEqual([]);
    expect(readdirSync(join(engine.own.root, "builder/contexts"))).toEqual([]);
    expect(readdirSync(join(engine.own.root, "snapshots/writable"))).toEqual([]);
  });
});

test("a build is cancelled by the id it was given, and leaves nothing", async () => {
  const tar = await run("tar", ["-C", context({ Dockerfile: "FROM bb\nRUN echo begun; sleep 1000\n" }), "-c", "."]);
  const answer = await engine.api("POST", "/build?buildid=e2e-build&nocache=1", undefined, {
    body: Buffer.from(tar.stdout, "latin1"),
    headers: { "Content-Type": "application/x-tar" },
  });
  let told = "";
  for await (const chunk of answer.body ?? []) {
    told += Buffer.from(chunk as Uint8Array);
    if (told.includes("Running in")) await engine.api("POST", "/build/cancel?id=e2e-build");
  }
  expect(told).toContain("cancelled");
  expect(await ok(["ps", "-aq"])).toBe("");
});
