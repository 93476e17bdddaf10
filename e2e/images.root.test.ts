import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { OTHER_ENGINE, run, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const docker = engine.docker.bind(engine);
const ok = engine.ok.bind(engine);

interface ImageView {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly Config: {
    readonly Cmd: readonly string[] | null;
    readonly Env: readonly string[] | null;
    readonly Labels: Record<string, string> | null;
  };
  readonly Author: string;
  readonly Comment: string;
  readonly RootFS: { readonly Layers: readonly string[] };
}
const image = (ref: string): Promise<ImageView> => engine.inspect<ImageView>(ref);

afterEach(async () => {
  await engine.removeContainers();
  const tags = (await ok(["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=e2e-*"])).split(
    "\n",
  );
  const mine = tags.filter((tag) => tag.startsWith("e2e-"));
  if (mine.length > 0) await ok(["rmi", "-f", ...mine]);
});

describe("import and commit", () => {
  test("import from a stream with changes and a message", async () => {
    const tar = join(engine.folder, "small.tar");
    mkdirSync(join(engine.folder, "small"));
    await run("sh", ["-c", `echo hi > ${engine.folder}/small/file && tar -C ${engine.folder}/small -cf ${tar} .`]);
    const changes = [
      "--change",
      'CMD ["cat", "/file"]',
      "--change",
      "ENV A=1",
      "--change",
      "LABEL who=me",
      "-m",
      "made here",
    ];
    const id = await ok(["import", ...changes, "-", "e2e-small:1"], { input: readFileSync(tar) });
    const seen = await image("e2e-small:1");
    expect(seen.Id).toBe(id);
    expect(seen).toMatchObject({ Comment: "made here", Config: { Cmd: ["cat", "/file"], Labels: { who: "me" } } });
    expect(seen.Config.Env).toContain("A=1");
    expect(seen.RootFS.Layers).toHaveLength(1);
  });

  test("compressed tars are the same image content", async () => {
    const tar = join(engine.folder, "plain.tar");
    await run("sh", [
      "-c",
      `mkdir -p ${engine.folder}/c && echo z > ${engine.folder}/c/z && tar -C ${engine.folder}/c -cf ${tar} .`,
    ]);
    const layers: string[] = [];
    for (const [tool, name] of [
      ["cat", "plain"],
      ["gzip -c", "gz"],
      ["xz -c", "xz"],
      ["bzip2 -c", "bz2"],
    ]) {
      await run("sh", ["-c", `${tool} ${tar} > ${tar}.${name}`]);
      await ok(["import", `${tar}.${name}`, `e2e-${name}:1`]);
      layers.push(...(await image(`e2e-${name}:1`)).RootFS.Layers);
    }
    expect(new Set(layers).size).toBe(1);
  });

  test("commit keeps files and configuration, with author, message and changes", async () => {
    await ok(["run", "--name", "e2e-a", "-e", "X=y", "bb", "sh", "-c", "echo data > /data"]);
    await ok([
      "commit",
      "-a",
      "A. Uthor",
      "-m",
      "why",
      "-c",
      'CMD ["cat","/data"]',
      "-c",
      "EXPOSE 80",
      "e2e-a",
      "e2e-done:1",
    ]);
    expect(await image("e2e-done:1")).toMatchObject({
      Author: "A. Uthor",
      Comment: "why",
      Config: { Cmd: ["cat", "/data"] },
    });
    expect((await image("e2e-done:1")).RootFS.Layers).toHaveLength(2);
    expect(await ok(["run", "--rm", "e2e-done:1"])).toBe("data");
    const history = (await ok(["history", "--no-trunc", "--format", "{{.Comment}}", "e2e-done:1"])).split("\n");
    expect(history[0]).toBe("why");
    expect(history).toHaveLength(2);
  });
});

describe("names", () => {
  test("tag, untag, delete; a digest in use is refused", async () => {
    await ok(["run", "--name", "e2e-a", "bb", "touch", "/x"]);
    const id = await ok(["commit", "e2e-a", "e2e-t:1"]);
    await ok(["tag", "e2e-t:1", "e2e-t:2"]);
    expect((await image("e2e-t:2")).Id).toBe(id);
    const several = await docker(["rmi", id]);
    expect(several.code).toBe(1);
    expect(several.stderr).toContain("image is referenced in multiple repositories");
    expect(await ok(["rmi", "e2e-t:1"])).toBe("Untagged: e2e-t:1");
    await ok(["create", "--name", "e2e-b", "e2e-t:2", "true"]);
    const used = await docker(["rmi", "e2e-t:2"]);
    expect(used.code).toBe(1);
    expect(used.stderr).toMatch(
      /conflict: unable to remove repository reference "e2e-t:2" \(must force\) - container [0-9a-f]{12} is using its referenced image [0-9a-f]{12}/,
    );
    await ok(["rm", "e2e-b"]);
    expect(await ok(["rmi", "e2e-t:2"])).toContain(`Deleted: ${id}`);
    expect((await docker(["rmi", "e2e-t:2"])).stderr).toContain("No such image: e2e-t:2");
  });

  test("found by tag, id, short id and prefix; invalid ones refused", async () => {
    const { Id } = await image("bb");
    for (const ref of ["bb:latest", Id, Id.slice(7), Id.slice(7, 19)]) expect((await image(ref)).Id).toBe(Id);
    expect((await docker(["tag", "bb", "Upper/Case"])).code).toBe(1);
    expect((await docker(["tag", "bb", "a:b:c"])).code).toBe(1);
    expect((await docker(["run", "--rm", "--pull", "never", "UPPER", "true"])).stderr).toContain("must be lowercase");
  });

  test("images: formats and filters", async () => {
    await ok(["tag", "bb", "e2e-list:one"]);
    const list = (...filters: string[]): Promise<string> =>
      ok(["images", "--format", "{{.Repository}}:{{.Tag}}", ...filters.flatMap((filter) => ["--filter", filter])]);
    expect(await list("reference=e2e-li*")).toBe("e2e-list:one");
    expect((await list("reference=e2e-*:one", "dangling=false")).split("\n")).toEqual(["e2e-list:one"]);
    expect(await ok(["images", "-q", "--no-trunc", "e2e-list"])).toBe((await image("bb")).Id);
    expect((await docker(["images", "--filter", "nonsense=1"])).stderr).toContain("invalid filter 'nonsense'");
  });
});

describe("save and load", () => {
  test("a saved image loaded again is the same; skopeo reads it", async () => {
    await ok([
      "run",
      "--name",
      "e2e-a",
      "bb",
      "sh",
      "-c",
      "mkdir /d; echo x > /d/x; rm /etc/group; ln -s x /d/y; chmod 4711 /bin/busybox",
    ]);
    const id = await ok(["commit", "-c", "LABEL a=b", "e2e-a", "e2e-s:1"]);
    await ok(["tag", "e2e-s:1", "e2e-s:2"]);
    const tar = join(engine.folder, "saved.tar");
    await ok(["save", "-o", tar, "e2e-s:1", "e2e-s:2"]);
    await ok(["rm", "e2e-a"]);
    await ok(["rmi", "e2e-s:1", "e2e-s:2"]);
    expect((await docker(["image", "inspect", id])).code).toBe(1);
    const said = await ok(["load", "-i", tar]);
    expect(said).toContain("Loaded image: e2e-s:1");
    expect(said).toContain("Loaded image: e2e-s:2");
    expect((await image("e2e-s:2")).Id).toBe(id);
    expect(
      await ok(["run", "--rm", "e2e-s:1", "sh", "-c", "cat /d/y; ls /etc | grep -v mtab; stat -c %a /bin/busybox"]),
    ).toBe("x\nhostname\nhosts\npasswd\nresolv.conf\n4711");
    const skopeo = await run("skopeo", ["inspect", "--config", `docker-archive:${tar}:e2e-s:1`]);
    expect(skopeo.stderr).toBe("");
    expect(JSON.parse(skopeo.stdout).config.Labels).toMatchObject({ a: "b" });
  });

  test("a stream through gzip, and an image by its id without a name", async () => {
    await ok(["run", "--name", "e2e-a", "bb", "touch", "/only-here"]);
    const id = await ok(["commit", "e2e-a"]);
    const saved = await engine.dockerBytes(["save", id]);
    await ok(["rm", "e2e-a"]);
    await ok(["rmi", id]);
    const zipped = Bun.gzipSync(new Uint8Array(saved.stdout));
    expect(await ok(["load"], { input: zipped })).toContain(`Loaded image ID: ${id}`);
    await ok(["rmi", id]);
  });

  test("an OCI layout made by skopeo loads", async () => {
    const tar = join(engine.folder, "docker.tar");
    await ok(["save", "-o", tar, "bb"]);
    const layout = join(engine.folder, "oci.tar");
    const copied = await run("skopeo", ["copy", `docker-archive:${tar}`, `oci-archive:${layout}:e2e-oci:1`]);
    expect(copied.code).toBe(0);
    if (OTHER_ENGINE !== undefined) return; // dockerd 26 loads OCI layouts only with its containerd store.
    await ok(["load", "-i", layout]);
    expect(await ok(["run", "--rm", "e2e-oci:1", "echo", "from a layout"])).toBe("from a layout");
  });

  test("what is no image is refused and leaves nothing", async () => {
    const before = await ok(["images", "-aq"]);
    for (const input of [Buffer.alloc(0), Buffer.from("no tar at all"), Buffer.alloc(10_240)]) {
      expect((await docker(["load"], { input })).code).not.toBe(0);
    }
    expect(await ok(["images", "-aq"])).toBe(before);
  });
});
