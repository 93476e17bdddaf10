import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { createReadStream, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TarMember, writeTar } from "../snapshots/mod.ts";
import { RealWorkshop } from "./testing/real-workshop.ts";
import { bytesOf } from "./testing/workshop.ts";

/** A dockerd to compare with, as DOCKER_HOST has it; these tests are left out without one. */
const DOCKER = process.env.HAVRE_TEST_DOCKER_HOST;
const hasSkopeo = spawnSync("skopeo", ["--version"]).status === 0;

let folder: string;
let shop: RealWorkshop;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "havre-interop-"));
  shop = await RealWorkshop.open();
  await shop.images.import(
    { source: writeTar(TREE), repository: "havre-interop", tag: "1", changes: ['CMD ["/bin/true"]', "LABEL a=b"] },
    () => {},
  );
  await save(shop, "ours.tar");
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
  if (DOCKER) run("docker", ["rmi", "-f", "havre-interop:1", "havre-interop:copy"], false);
});

const TREE: TarMember[] = [
  { header: { path: "bin/", type: "directory" } },
  { header: { path: "bin/true", mode: 0o4755, size: 4 }, body: Buffer.from("true") },
  { header: { path: "bin/link", type: "symlink", linkTarget: "true" } },
  { header: { path: "bin/hard", type: "hardlink", linkTarget: "bin/true" } },
  { header: { path: "etc/owner", uid: 70000, gid: 5, size: 0 } },
];

function run(program: string, args: readonly string[], check = true): string {
  const env = { ...process.env, ...(DOCKER ? { DOCKER_HOST: DOCKER } : {}) };
  const { status, stdout, stderr } = spawnSync(program, [...args], { env, encoding: "utf8", timeout: 60_000 });
  if (check && status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

async function save(from: RealWorkshop, name: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, await bytesOf(from.images.save(["havre-interop:1"])));
  return path;
}

/** Loads a file into images of their own and answers with the one image that came. */
async function loadElsewhere(path: string) {
  await using other = await RealWorkshop.open();
  await other.load(createReadStream(path));
  const [image] = other.images.list({});
  if (!image) throw new Error("nothing was loaded");
  const names = await other.snapshots.withView(image.chain.at(-1), async (tree) =>
    readdirSync(join(tree, "bin")).sort(),
  );
  expect(names).toEqual(["hard", "link", "true"]);
  return { image, saved: await bytesOf(other.images.save([image.tags[0] ?? image.id])) };
}

const ours = () => shop.images.resolve("havre-interop:1");

test.skipIf(!hasSkopeo)("skopeo reads what is saved, as a Docker archive and as an OCI one", () => {
  const path = join(folder, "ours.tar");
  for (const transport of ["docker-archive", "oci-archive"]) {
    const raw = run("skopeo", ["inspect", "--config", "--raw", `${transport}:${path}`]);
    expect(JSON.parse(raw)).toEqual(JSON.parse(JSON.stringify(ours().config)));
  }
  expect(run("skopeo", ["manifest-digest", manifestFile(path)]).trim()).toBe(ours().manifest as string);
});

function manifestFile(path: string): string {
  const file = `${path}.manifest`;
  spawnSync("sh", ["-c", `skopeo inspect --raw oci-archive:${path} > ${file}`]);
  return file;
}

test.skipIf(!hasSkopeo)("what skopeo copies is loaded: plain, compressed, with links for layers", async () => {
  const from = `docker-archive:${join(folder, "ours.tar")}`;
  const docker = join(folder, "skopeo-docker.tar");
  run("skopeo", ["copy", from, `docker-archive:${docker}:havre-interop:copy`]);
  const { image } = await loadElsewhere(docker);
  expect([image.id, image.manifest, image.tags]).toEqual([ours().id, ours().manifest, ["havre-interop:copy"]]);

  const oci = join(folder, "skopeo-oci.tar");
  run("skopeo", ["copy", from, `oci-archive:${oci}:havre-interop:copy`]);
  const compressed = await loadElsewhere(oci);
  expect(compressed.image.chain).toEqual(ours().chain);
  const again = join(folder, "skopeo-again.tar");
  await writeFile(again, compressed.saved);
  const digest = (path: string) => run("skopeo", ["manifest-digest", manifestFile(path)]);
  expect(digest(again)).toBe(digest(oci));
  expect(digest(again).trim()).toBe(compressed.image.manifest as string);
});

test.skipIf(!DOCKER)(
  "Docker loads what is saved, and its own archive of it comes back with the same digests",
  async () => {
    expect(run("docker", ["load", "-i", join(folder, "ours.tar")])).toBe("Loaded image: havre-interop:1\n");
    const [inspected] = JSON.parse(run("docker", ["image", "inspect", "havre-interop:1"]));
    expect([inspected.Id, inspected.Size, inspected.Config.Cmd]).toEqual([ours().id, ours().size, ["/bin/true"]]);
    const theirs = join(folder, "docker.tar");
    run("docker", ["save", "-o", theirs, "havre-interop:1"]);
    const { image, saved } = await loadElsewhere(theirs);
    expect([image.id, image.manifest]).toEqual([ours().id, ours().manifest]);
    expect(saved.equals(await bytesOf(shop.images.save(["havre-interop:1"])))).toBe(true);
  },
);

test.skipIf(!DOCKER)("Docker and we make the same layer of the same tar, compressed or not", async () => {
  const tar = join(folder, "tree.tar");
  await writeFile(tar, await bytesOf(writeTar(TREE)));
  run("gzip", ["-k", tar]);
  const id = run("docker", ["import", `${tar}.gz`, "havre-interop:copy"]).trim();
  const [inspected] = JSON.parse(run("docker", ["image", "inspect", id]));
  expect(inspected.RootFS.Layers).toEqual(ours().config.rootfs.diff_ids);
  const compressed = createReadStream(`${tar}.gz`);
  const made = await shop.images.import({ source: compressed, changes: [] }, () => {});
  expect(shop.images.get(made)?.chain).toEqual(ours().chain);
});
