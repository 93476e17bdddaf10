import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HavreError } from "../../base/mod.ts";
import type { ContainerConfig, HostConfig } from "../../spec/mod.ts";
import { ANONYMOUS_LABEL } from "../../volumes/mod.ts";
import type { MountPoint } from "../container.ts";
import { configOf, hostConfigOf } from "../spec/testing.ts";
import { makeMountSources, resolveMounts, volumeWishes } from "./mount-points.ts";

const donor: MountPoint = {
  type: "bind",
  source: "/tmp",
  destination: "/d",
  mode: "",
  writable: true,
  propagation: "rslave",
};

function resolve(hostConfig: object, config: Partial<ContainerConfig> = {}): readonly MountPoint[] {
  const mountsOf = (ref: string) => {
    if (ref !== "donor") throw new HavreError("not-found", `No such container: ${ref}`);
    return [donor];
  };
  const ground = { mountsOf, newName: () => "fresh" };
  return resolveMounts(hostConfigOf(hostConfig as Partial<HostConfig>), configOf(config), ground);
}

test("a bind with its mode", () => {
  expect(resolve({ Binds: ["/tmp/:/a/../b/:ro,z,rslave"] })).toEqual([
    { type: "bind", source: "/tmp", destination: "/b", mode: "ro,z,rslave", writable: false, propagation: "rslave" },
  ]);
});

test("another container's mounts keep their propagation and may become read-only", () => {
  expect(resolve({ VolumesFrom: ["donor:ro"] })).toEqual([{ ...donor, writable: false }]);
  expect(resolve({ VolumesFrom: ["donor"], Binds: ["/var:/d"] })).toMatchObject([
    { source: "/var", destination: "/d" },
  ]);
});

test("a missing host folder is made for Binds, and for Mounts that say so, when a container starts", () => {
  const folder = mkdtempSync(join(tmpdir(), "havre-mounts-"));
  const [one, two] = [join(folder, "one/deep"), join(folder, "two")];
  const start = (BindOptions: object) => {
    const Mounts = [{ Type: "bind", Source: two, Target: "/b", BindOptions }];
    const hostConfig = hostConfigOf({ Binds: [`${one}:/a`], Mounts } as Partial<HostConfig>);
    const mounts = [
      { ...donor, source: one, destination: "/a" },
      { ...donor, source: two, destination: "/b" },
    ];
    makeMountSources({ hostConfig, mounts });
  };
  resolve({ Binds: [`${one}:/a`] });
  expect(existsSync(one)).toBe(false);
  expect(() => start({})).toThrow(`bind source path does not exist: ${two}`);
  start({ CreateMountpoint: true });
  expect([one, two].map(existsSync)).toEqual([true, true]);
  rmSync(folder, { recursive: true });
});

// Texts as dockerd 26.1 answers them.
test.each<[object, string]>([
  [{ Binds: [":/x"] }, "invalid volume specification: ':/x'"],
  [{ Binds: ["/tmp:ro"] }, "invalid volume specification: '/tmp:ro'"],
  [{ Binds: ["a:b:c:d"] }, "invalid volume specification: 'a:b:c:d'"],
  [{ Binds: ["/tmp:/x:foo"] }, "invalid mode: foo"],
  [{ Binds: ["/tmp:/x:ro,rw"] }, "invalid mode: ro,rw"],
  [
    { Binds: ["a"] },
    "invalid volume specification: 'a': invalid mount config for type \"volume\": invalid mount path: 'a' mount path must be absolute",
  ],
  [
    { Binds: ["/tmp:x"] },
    "invalid volume specification: '/tmp:x': invalid mount config for type \"bind\": invalid mount path: 'x' mount path must be absolute",
  ],
  [
    { Binds: ["/tmp:/"] },
    "invalid volume specification: '/tmp:/': invalid mount config for type \"bind\": invalid specification: destination can't be '/'",
  ],
  [{ Binds: ["/tmp:/x", "/tmp:/x/"] }, "Duplicate mount point: /x"],
  [{ Binds: ["/tmp:/x"], Tmpfs: { "/x": "" } }, "Duplicate mount point: /x"],
  [{ Binds: ["/tmp:/x"], Mounts: [{ Type: "tmpfs", Target: "/x" }] }, "Duplicate mount point: /x"],
  [{ VolumesFrom: ["nope"] }, "No such container: nope"],
  [{ VolumesFrom: ["donor:foo"] }, "invalid mode: foo"],
  [{ VolumesFrom: ["donor:rslave"] }, "invalid mode: rslave"],
  [{ VolumesFrom: [""] }, "volumes-from specification cannot be an empty string"],
])("%j is refused", (hostConfig, message) => {
  expect(() => resolve(hostConfig)).toThrow(message);
});

const volume = { type: "volume", source: "", driver: "local", mode: "", writable: true, propagation: "" };

test("volumes by name, by chance and where the image wants them", () => {
  const hostConfig = {
    Binds: ["data:/d:ro,nocopy", "/only"],
    Mounts: [
      { Type: "volume", Source: "other", Target: "/o", VolumeOptions: { Subpath: "in/side", NoCopy: true } },
      { Type: "volume", Target: "/m" },
    ],
  };
  expect(resolve(hostConfig, { Volumes: { "/d": {}, "/image/": {} } })).toEqual([
    { ...volume, name: "data", destination: "/d", mode: "ro,nocopy", writable: false, noCopy: true },
    { ...volume, name: "fresh", destination: "/only", anonymous: true },
    { ...volume, name: "other", destination: "/o", mode: "z", noCopy: true, subpath: "in/side" },
    { ...volume, name: "fresh", destination: "/m", mode: "z", anonymous: true },
    { ...volume, name: "fresh", destination: "/image", anonymous: true },
  ] as MountPoint[]);
});

test("where a tmpfs is mounted the image gets no volume", () => {
  expect(resolve({ Tmpfs: { "/image": "" } }, { Volumes: { "/image": {} } })).toEqual([]);
});

test("what is wanted of volumes: a driver only where one is named", () => {
  const hostConfig = {
    Binds: ["data:/d"],
    Mounts: [
      {
        Type: "volume",
        Source: "other",
        Target: "/o",
        VolumeOptions: { Labels: { a: "b" }, DriverConfig: { Name: "plug", Options: { size: "1" } } },
      },
      { Type: "volume", Target: "/m" },
    ],
  };
  const config = hostConfigOf(hostConfig as Partial<HostConfig>);
  expect(volumeWishes(config, resolve(hostConfig))).toEqual([
    { name: "data", driver: "", labels: null, options: null, anonymous: false },
    { name: "other", driver: "plug", labels: { a: "b" }, options: { size: "1" }, anonymous: false },
    { name: "fresh", driver: "", labels: { [ANONYMOUS_LABEL]: "" }, options: null, anonymous: true },
  ]);
});
