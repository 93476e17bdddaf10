import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const docker = engine.docker.bind(engine);
const ok = engine.ok.bind(engine);
const sleeper = (name: string, ...flags: string[]): Promise<string> =>
  ok(["run", "-d", "--name", name, "--net", "none", ...flags, "bb", "sleep", "1000"]);
const inside = (script: string): Promise<string> => ok(["exec", "e2e-a", "sh", "-c", script]);

/** A fresh folder on this side. */
let folders = 0;
function folder(): string {
  const path = join(engine.folder, `side-${folders++}`);
  mkdirSync(path);
  return path;
}

describe("docker cp", () => {
  test("out: a file, a folder, a folder's content, to a stream", async () => {
    await sleeper("e2e-a");
    await inside("mkdir -p /d/sub; echo one > /d/one; echo two > /d/sub/two; chmod 640 /d/one; ln -s one /d/link");
    const side = folder();
    await ok(["cp", "e2e-a:/d/one", `${side}/file`]);
    expect(readFileSync(join(side, "file"), "utf8")).toBe("one\n");
    expect(statSync(join(side, "file")).mode & 0o777).toBe(0o640);
    await ok(["cp", "e2e-a:/d", side]);
    expect(readFileSync(join(side, "d/sub/two"), "utf8")).toBe("two\n");
    expect(readlinkSync(join(side, "d/link"))).toBe("one");
    await ok(["cp", "e2e-a:/d/.", `${side}/new`]);
    expect(readdirSync(join(side, "new")).sort()).toEqual(["link", "one", "sub"]);
    expect((await docker(["cp", "e2e-a:/d/one", "-"])).stdout).toContain("one\n");
  });

  test("in: by name, into a folder, under a new name, from a stream", async () => {
    await sleeper("e2e-a");
    const side = folder();
    writeFileSync(join(side, "f"), "in\n");
    await ok(["cp", `${side}/f`, "e2e-a:/tmp"]);
    await ok(["cp", `${side}/f`, "e2e-a:/tmp/g"]);
    await ok(["cp", side, "e2e-a:/made"]);
    expect(await inside("cat /tmp/f /tmp/g /made/f; stat -c %u /tmp/f")).toBe("in\nin\nin\n0");
    const tar = (await run("tar", ["-C", side, "-c", "f"])).stdout;
    await ok(["cp", "-", "e2e-a:/var"], { input: tar });
    expect(await inside("cat /var/f")).toBe("in");
  });

  test("into the place of a volume, before the first start", async () => {
    const side = folder();
    writeFileSync(join(side, "f"), "kept\n");
    await ok(["create", "--name", "e2e-a", "--net", "none", "-v", "/deep/data", "bb", "cat", "/deep/data/f"]);
    await ok(["cp", `${side}/f`, "e2e-a:/deep/data"]);
    expect(await ok(["start", "-a", "e2e-a"])).toBe("kept");
  });

  test("links inside are followed inside, never outside", async () => {
    await sleeper("e2e-a");
    await inside("ln -s /etc /abs; ln -s ../../../../etc /up; mkdir /real; ln -s real /dir");
    const side = folder();
    writeFileSync(join(side, "marker"), "inside only\n");
    await ok(["cp", `${side}/marker`, "e2e-a:/abs/"]);
    await ok(["cp", `${side}/marker`, "e2e-a:/up/marker2"]);
    await ok(["cp", `${side}/marker`, "e2e-a:/dir/"]);
    expect(await inside("cat /etc/marker /etc/marker2 /real/marker")).toBe("inside only\ninside only\ninside only");
    expect(readdirSync("/etc")).not.toContain("marker");
    await ok(["cp", "e2e-a:/abs/passwd", `${side}/passwd`]);
    expect(readFileSync(join(side, "passwd"), "utf8")).toContain("nobody:x:65534:65534:nobody:/:/bin/false");
    await ok(["cp", "-L", "e2e-a:/dir", `${side}/followed`]);
    expect(readdirSync(join(side, "followed"))).toEqual(["marker"]);
  });

  test("refused: file over folder, folder over file, what is not there", async () => {
    await sleeper("e2e-a");
    const side = folder();
    writeFileSync(join(side, "f"), "x");
    expect((await docker(["cp", side, "e2e-a:/etc/passwd"])).code).toBe(1);
    expect((await docker(["cp", `${side}/f`, "e2e-a:/nowhere/else"])).stderr).toContain("/nowhere");
    const missing = await docker(["cp", "e2e-a:/nothing", side]);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain("Could not find the file /nothing in container e2e-a");
  });

  test("works on one that does not run, and into a bind", async () => {
    const side = folder();
    writeFileSync(join(side, "f"), "kept\n");
    await ok(["create", "--name", "e2e-a", "-v", `${side}:/bound`, "bb", "cat", "/etc/f", "/bound/g"]);
    await ok(["cp", `${side}/f`, "e2e-a:/etc/f"]);
    await ok(["cp", `${side}/f`, "e2e-a:/bound/g"]);
    expect(readFileSync(join(side, "g"), "utf8")).toBe("kept\n");
    expect((await docker(["start", "-a", "e2e-a"])).stdout).toBe("kept\nkept\n");
  });

  test("a read-only bind is refused", async () => {
    const side = folder();
    writeFileSync(join(side, "f"), "x");
    await ok(["create", "--name", "e2e-a", "-v", `${side}:/bound:ro`, "bb", "true"]);
    expect((await docker(["cp", `${side}/f`, "e2e-a:/bound/g"])).stderr).toContain(
      "mounted volume is marked read-only",
    );
    expect(readdirSync(side)).toEqual(["f"]);
  });

  test("a read-only root is refused", async () => {
    await sleeper("e2e-a", "--read-only");
    const side = folder();
    writeFileSync(join(side, "f"), "x");
    expect((await docker(["cp", `${side}/f`, "e2e-a:/etc/f"])).stderr).toContain("read-only");
  });

  test("the stat header", async () => {
    await sleeper("e2e-a");
    await inside("printf 12345 > /five; ln -s five /link");
    const stat = async (path: string) => {
      const response = await engine.api("HEAD", `/containers/e2e-a/archive?path=${encodeURIComponent(path)}`);
      const header = response.headers.get("X-Docker-Container-Path-Stat") ?? "";
      return JSON.parse(Buffer.from(header, "base64").toString());
    };
    expect(await stat("/five")).toMatchObject({ name: "five", size: 5, mode: 0o644, linkTarget: "" });
    expect(await stat("/link")).toMatchObject({ name: "link", linkTarget: "/five" });
    expect(((await stat("/etc")).mode as number) >>> 0).toBe((0x80000000 | 0o755) >>> 0);
    expect((await engine.api("HEAD", "/containers/e2e-a/archive?path=/none")).status).toBe(404);
    expect((await engine.api("GET", "/containers/e2e-a/archive")).status).toBe(400);
  });
});

describe("diff and export", () => {
  test("diff tells what was added, changed, deleted", async () => {
    await ok([
      "run",
      "--name",
      "e2e-a",
      "bb",
      "sh",
      "-c",
      "rm /etc/group; echo x >> /etc/passwd; mkdir /new; touch /new/file",
    ]);
    expect((await ok(["diff", "e2e-a"])).split("\n").sort()).toEqual([
      "A /new",
      "A /new/file",
      "C /etc",
      "C /etc/passwd",
      "D /etc/group",
    ]);
  });

  test("export is the whole tree as it is", async () => {
    await ok([
      "run",
      "--name",
      "e2e-a",
      "bb",
      "sh",
      "-c",
      "rm /etc/group; echo marker > /marker; ln /marker /hard; ln -s marker /soft; mknod /pipe p; chmod 4755 /bin/busybox",
    ]);
    const tar = join(engine.folder, "export.tar");
    await ok(["export", "-o", tar, "e2e-a"]);
    const listing = (await run("tar", ["-tvf", tar])).stdout;
    expect(listing).not.toContain("etc/group");
    for (const part of [
      /-rw-r--r-- .* (marker|hard)\n/,
      /soft -> marker/,
      /^prw-r--r-- .* pipe$/m,
      /^-rwsr-xr-x .* bin\/busybox$/m,
    ]) {
      expect(listing).toMatch(part);
    }
  });
});

describe("volumes from another, hostile names", () => {
  test("--volumes-from brings its binds, with its mode", async () => {
    const side = folder();
    writeFileSync(join(side, "f"), "shared\n");
    await sleeper("e2e-a", "-v", `${side}:/s`);
    expect(
      await ok(["run", "--rm", "--volumes-from", "e2e-a:ro", "bb", "sh", "-c", "cat /s/f; touch /s/g 2>&1 || true"]),
    ).toBe("shared\ntouch: /s/g: Read-only file system");
  });

  test("a bind over a link in the image stays inside", async () => {
    const side = folder();
    symlinkSync("/etc", join(side, "leads-out"));
    writeFileSync(join(side, "f"), "bound\n");
    await ok(["run", "--name", "e2e-a", "bb", "ln", "-s", "/root", "/target"]);
    await ok(["commit", "e2e-a", "e2e-linked"]);
    try {
      expect(await ok(["run", "--rm", "-v", `${side}:/target/deep`, "e2e-linked", "cat", "/root/deep/f"])).toBe(
        "bound",
      );
    } finally {
      await ok(["rmi", "e2e-linked"]);
    }
  });
});
