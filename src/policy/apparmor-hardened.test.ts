import { expect, test } from "bun:test";
import type { HostConfig } from "../spec/mod.ts";
import { hardenedAppArmorProfile, isHardenedAppArmorProfile } from "./apparmor-hardened.ts";
import { parseGrants } from "./profiles/grants.ts";

function made(words = "", host: Partial<HostConfig> = {}, capabilities: readonly string[] = []) {
  return hardenedAppArmorProfile({
    profile: "hardened",
    grants: parseGrants(words),
    hostConfig: {
      ReadonlyRootfs: true,
      Tmpfs: { "/tmp": "" },
      SecurityOpt: ["no-new-privileges"],
      ...host,
    } as HostConfig,
    mounts: [
      { destination: '/da"ta*', writable: true },
      { destination: "/conf", writable: false },
    ],
    capabilities,
  });
}

test("writes what is mounted to be written, has the capabilities it was granted", () => {
  const text = made("", {}, ["CAP_NET_ADMIN"])?.text ?? "";
  expect(text).toContain('  "/tmp/**" mrwlixk,');
  expect(text).toContain('  "/da\\"ta\\*/**" mrwlixk,');
  expect(text).toContain("  capability net_admin,\n");
  expect(text).not.toContain("/conf");
  expect(text).not.toContain("mount");
  expect(made()?.text).not.toContain("capability");
});

test("the same grants have the same name, others another", () => {
  expect(made()).toEqual(made());
  expect(made()?.name).not.toBe(made("", {}, ["CAP_CHOWN"])?.name);
  expect(isHardenedAppArmorProfile(made()?.name ?? "")).toBe(true);
  expect(isHardenedAppArmorProfile("havre-default")).toBe(false);
});

test.each<[string, Partial<HostConfig>]>([
  ["privileged", {}],
  ["any-path", {}],
  ["", { SecurityOpt: ["apparmor=mine"] }],
])("none is made for %j %j", (words, host) => {
  expect(made(words, host)).toBeUndefined();
});
