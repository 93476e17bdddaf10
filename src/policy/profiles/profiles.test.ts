import { describe, expect, test } from "bun:test";
import { isHavreError } from "../../base/mod.ts";
import type { ContainerConfig, HostConfig } from "../../spec/mod.ts";
import { type Applied, applyProfile, imageTmpfs } from "./apply.ts";
import { formatGrant, GRANT_WORDS, parseGrant, parseGrantPattern, parseGrants } from "./grants.ts";
import { PROFILES, parseProfile, RULES } from "./profiles.ts";

const HOST = {
  NetworkMode: "bridge",
  PidMode: "",
  IpcMode: "",
  UTSMode: "",
  UsernsMode: "",
  Privileged: false,
  ReadonlyRootfs: false,
  Memory: 0,
  NanoCpus: 0,
  CpuQuota: 0,
  PidsLimit: null,
} as HostConfig;

function hardened(
  words: string,
  host: Partial<HostConfig> = {},
  volumes: string[] = [],
  tmpfs: string[] = [],
): Applied {
  const config = { Volumes: null } as ContainerConfig;
  const asked = { config, hostConfig: { ...HOST, ...host }, image: { volumes, tmpfs } };
  return applyProfile("hardened", parseGrants(words), asked, { cpus: 4 });
}

describe("grants", () => {
  test.each([
    ["net-bind", { name: "net-bind", value: "" }],
    ["cap:net_admin", { name: "cap", value: "CAP_NET_ADMIN" }],
    ["cap:CAP_CHOWN", { name: "cap", value: "CAP_CHOWN" }],
    ["write:/var/cache/", { name: "write", value: "/var/cache" }],
    ["write:/", { name: "write", value: "/" }],
    ["device:/dev/fuse", { name: "device", value: "/dev/fuse" }],
  ])("%s", (text, grant) => {
    expect(parseGrant(text)).toEqual(grant as ReturnType<typeof parseGrant>);
    expect(parseGrant(formatGrant(grant as ReturnType<typeof parseGrant>))).toEqual(parseGrant(text));
  });

  test.each([
    ["net-bond", "Did you mean net-bind?"],
    ["net-bind:80", "net-bind stands alone"],
    ["cap", "Say which: cap:CAPABILITY"],
    ["write:var", "write needs an absolute path"],
    ["x", "'havre grants' lists"],
  ])("%s is refused", (text, hint) => {
    const error = attempt(() => parseGrant(text));
    expect([isHavreError(error, "invalid-argument"), String((error as { hint?: string }).hint)]).toEqual([
      true,
      expect.stringContaining(hint),
    ]);
  });

  test("labels hold several; a word alone is a pattern of all its kind", () => {
    expect(parseGrants(" net-bind, write:/a\ncap:chown ").map(formatGrant)).toEqual([
      "net-bind",
      "write:/a",
      "cap:chown",
    ]);
    expect(parseGrants("")).toEqual([]);
    expect(parseGrantPattern("cap")).toEqual({ name: "cap", value: "" });
  });
});

test("every rule says what each profile does and which known words lift it", () => {
  const words: readonly string[] = GRANT_WORDS.map(({ word }) => word);
  for (const { explain, grants } of RULES) {
    for (const profile of PROFILES) expect(explain[profile]).not.toBe("");
    for (const grant of grants) expect(words).toContain(grant);
  }
  const lifting: readonly string[] = RULES.flatMap(({ grants }) => grants);
  for (const word of words) expect(lifting).toContain(word);
  expect(attempt(() => parseProfile("hardend"))).toMatchObject({ hint: "Did you mean hardened?" });
});

describe("hardened", () => {
  test("denies what nobody asked for", () => {
    const { hostConfig, config } = hardened("");
    expect(hostConfig).toMatchObject({
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      CapAdd: [],
      SecurityOpt: ["no-new-privileges"],
      UsernsMode: "auto",
      Sysctls: { "net.ipv4.ip_unprivileged_port_start": "1024" },
      Memory: 2 ** 30,
      NanoCpus: 2e9,
      PidsLimit: 512,
    });
    expect(Object.keys(hostConfig.Tmpfs ?? {})).toEqual(["/tmp", "/run"]);
    expect(config.Volumes).toBeNull();
  });

  test("keeps what was asked for", () => {
    const limits = { Memory: 1 << 26, NanoCpus: 5e8, PidsLimit: 10 };
    expect(hardened("", limits).hostConfig).toMatchObject(limits);
    expect(hardened("any-resources").hostConfig).toMatchObject({ Memory: 0, NanoCpus: 0, PidsLimit: null });
    expect(hardened("", { CpuQuota: 50_000 }).hostConfig.NanoCpus).toBe(0);
    expect(hardened("cap:chown", { CapAdd: ["CAP_KILL"] }).hostConfig.CapAdd).toEqual(["CAP_KILL", "CAP_CHOWN"]);
    expect(hardened("new-privileges").hostConfig.SecurityOpt).toEqual([]);
    expect(hardened("net-bind").hostConfig.Sysctls).toBeUndefined();
    expect(hardened("write:/var/www").config.Volumes).toEqual({ "/var/www": {} });
    expect(hardened("write:/").hostConfig.ReadonlyRootfs).toBe(false);
    expect(hardened("host-users").hostConfig.UsernsMode).toBe("host");
    expect(hardened("host-net", { NetworkMode: "host" }).hostConfig).toMatchObject({ UsernsMode: "host" });
  });

  test("puts no scratch over what is mounted there", () => {
    const at = (host: Partial<HostConfig>, volumes: string[] = []) =>
      Object.keys(hardened("", host, volumes).hostConfig.Tmpfs ?? {});
    expect(at({}, ["/run"])).toEqual(["/tmp"]);
    expect(at({ Binds: ["data:/tmp"] })).toEqual(["/run"]);
    expect(at({ Mounts: [{ Type: "volume", Target: "/run" }] })).toEqual(["/tmp"]);
    expect(hardened("", { Tmpfs: { "/tmp": "size=1m" } }).hostConfig.Tmpfs?.["/tmp"]).toBe("size=1m");
  });

  test.each<[Partial<HostConfig>, string]>([
    [{ Privileged: true }, "privileged"],
    [{ NetworkMode: "host" }, "host-net"],
    [{ PidMode: "host" }, "host-pid"],
    [{ IpcMode: "host" }, "host-ipc"],
    [{ UTSMode: "host" }, "host-uts"],
    [{ UsernsMode: "host" }, "host-users"],
    [{ SecurityOpt: ["seccomp=unconfined"] }, "all-syscalls"],
    [
      { Devices: [{ PathOnHost: "/dev/fuse", PathInContainer: "/dev/fuse", CgroupPermissions: "rwm" }] },
      "device:/dev/fuse",
    ],
    [{ Binds: ["/etc:/mnt:ro"] }, "host-path:/etc"],
    [{ Binds: ["/:/host"] }, "host-path:/"],
    [{ Mounts: [{ Type: "bind", Source: "/usr/", Target: "/x" }] }, "host-path:/usr"],
    [{ Binds: ["/var/run/docker.sock:/var/run/docker.sock"] }, "engine-socket"],
  ])("a flag that opens the host needs its word: %j, %s", (host, word) => {
    const error = attempt(() => hardened("", host));
    expect(isHavreError(error, "permission-denied")).toBe(true);
    expect(String(error)).toContain(`--grant ${word},`);
    expect(() => hardened(word, host)).not.toThrow();
    expect(() => hardened("privileged", host)).not.toThrow();
    expect(attempt(() => hardened("net-bind", host))).toBeDefined();
  });

  test("folders of one's own and named volumes need none", () => {
    expect(() => hardened("", { Binds: ["/srv/www:/www", "data:/data", "/etc/nginx:/etc/nginx:ro"] })).not.toThrow();
  });
});

test("docker changes nothing; open opens everything and says so", () => {
  const asked = { config: { Volumes: null } as ContainerConfig, hostConfig: HOST, image: { volumes: [], tmpfs: [] } };
  expect(applyProfile("docker", [], asked, { cpus: 4 })).toMatchObject({ hostConfig: HOST, warnings: [] });
  const { hostConfig, warnings } = applyProfile("open", [], asked, { cpus: 4 });
  expect(hostConfig).toMatchObject({ CapAdd: ["ALL"], MaskedPaths: [] });
  expect(warnings).toEqual([expect.stringContaining("open profile")]);
});

function attempt(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

test("an image names the scratch folders it needs; it gets none of the system's, and none where something is mounted", () => {
  expect(imageTmpfs("/run/mysqld /var/cache/nginx")).toEqual(["/run/mysqld", "/var/cache/nginx"]);
  expect(imageTmpfs("/etc /var/lib / relative /x /run/../etc /a/b:c /run/x,/run/x")).toEqual(["/run/x"]);
  const tmpfs = ["/run/mysqld", "/var/cache/app"];
  const applied = hardened("", { Binds: ["cache:/var/cache/app"] }, [], tmpfs).hostConfig.Tmpfs ?? {};
  expect(Object.keys(applied)).toEqual(["/tmp", "/run", "/run/mysqld"]);
});
