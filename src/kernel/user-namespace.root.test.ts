import { expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asRootOf, MappedMount } from "./mapped-mount.ts";
import { unmount } from "./mount.ts";
import { createUserNamespace, networkNamespaceIn } from "./user-namespace.ts";

const IDS = {
  uids: [{ inside: 0, outside: 700_000, size: 1000 }],
  gids: [{ inside: 0, outside: 800_000, size: 1000 }],
};

/** What a process that joined the namespace prints. */
const inside = (user: string, ...command: string[]) =>
  execFileSync("nsenter", [`--user=${user}`, ...command], { encoding: "utf8" });

test("a user namespace has the ids it was made with, and owns the network made with it", () => {
  const { user, network } = createUserNamespace(IDS);
  using _user = user;
  using _network = network;
  expect(inside(user.path, "cat", "/proc/self/uid_map", "/proc/self/gid_map").trim().split(/\s+/).map(Number)).toEqual([
    0, 700_000, 1000, 0, 800_000, 1000,
  ]);
  expect(user.root).toEqual({ uid: 700_000, gid: 800_000 });
  // Only the network's owner may bring an interface up.
  const both = [`--net=${network.path}`, "ip", "link", "set", "lo", "up"];
  inside(user.path, ...both);
  expect(inside(user.path, `--net=${network.path}`, "ip", "-br", "link")).toMatch(/^lo\s+UNKNOWN/);
  const { user: stranger, network: other } = createUserNamespace(IDS);
  using _stranger = stranger;
  using _other = other;
  expect(() => inside(stranger.path, ...both)).toThrow();
});

test("a further network namespace belongs to the same users", async () => {
  const { user, network } = createUserNamespace(IDS);
  using _user = user;
  using _network = network;
  using further = await networkNamespaceIn(user);
  inside(user.path, `--net=${further.path}`, "ip", "link", "set", "lo", "up");
});

test("many at once are made and none of their helpers stays", async () => {
  const made = Array.from({ length: 30 }, () => createUserNamespace(IDS));
  for (const { user, network } of made) {
    user[Symbol.dispose]();
    network[Symbol.dispose]();
  }
  const children = () =>
    readFileSync(`/proc/self/task/${process.pid}/children`, "utf8")
      .split(" ")
      .filter((pid) => pid !== "" && readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z "));
  while (children().length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

test("a mapped mount shows other owners and keeps those on disk", () => {
  const folder = mkdtempSync(join(tmpdir(), "havre-mapped-"));
  const [source, place] = [join(folder, "source"), join(folder, "place")];
  mkdirSync(source);
  mkdirSync(place);
  writeFileSync(join(source, "old"), "");
  const { user, network } = createUserNamespace(IDS);
  using _user = user;
  using _network = network;
  try {
    using mapped = new MappedMount(source, user);
    mapped.attach(place);
    expect(statSync(join(place, "old"))).toMatchObject({ uid: 700_000, gid: 800_000 });
    expect(() => writeFileSync(join(place, "by-host"), "")).toThrow("EOVERFLOW");
    asRootOf(user.root, () => writeFileSync(join(place, "new"), ""));
    expect(statSync(join(source, "new"))).toMatchObject({ uid: 0, gid: 0 });
    // Back to who it was, with every right.
    writeFileSync(join(source, "after"), "");
    expect(statSync(join(source, "after"))).toMatchObject({ uid: 0, gid: 0 });
  } finally {
    unmount(place, { detach: true });
    rmSync(folder, { recursive: true });
  }
});

test("what cannot be mapped is said with its file system", () => {
  const { user, network } = createUserNamespace(IDS);
  using _user = user;
  using _network = network;
  expect(() => new MappedMount("/proc", user)).toThrow("/proc cannot be id-mapped: its file system (proc)");
});
