import { HavreError, nearest } from "../../base/mod.ts";
import type { GrantName } from "./grants.ts";

export const PROFILES = ["docker", "hardened", "open"] as const;
export type Profile = (typeof PROFILES)[number];

/** `invalid-argument` names the nearest. */
export function parseProfile(text: string): Profile {
  const found = PROFILES.find((profile) => profile === text);
  if (found) return found;
  const near = nearest(text, PROFILES);
  throw new HavreError("invalid-argument", `Unknown profile ${JSON.stringify(text)}`, {
    hint: near === undefined ? `There are ${PROFILES.join(", ")}` : `Did you mean ${near}?`,
  });
}

/** One thing that profiles decide, with what each decides and why. */
export interface Rule {
  readonly rule: string;
  readonly explain: Readonly<Record<Profile, string>>;
  /** What lifts it under `hardened`. */
  readonly grants: readonly GrantName[];
}

/** What the three profiles are. `docker` is what dockerd does, `hardened` what nobody asked for is denied, `open` for debugging. */
export const RULES: readonly Rule[] = [
  {
    rule: "root file system",
    explain: {
      docker: "Writable, unless --read-only",
      hardened: "Read-only; /tmp, /run and the image's volumes can be written: what runs is what was verified",
      open: "Writable, unless --read-only",
    },
    grants: ["write"],
  },
  {
    rule: "capabilities",
    explain: {
      docker: "Docker's fourteen",
      hardened: "None: each is a part of root's power",
      open: "All",
    },
    grants: ["cap", "privileged"],
  },
  {
    rule: "new privileges",
    explain: {
      docker: "Setuid programs work",
      hardened: "Nothing that is started gains a privilege",
      open: "Setuid programs work",
    },
    grants: ["new-privileges"],
  },
  {
    rule: "system calls",
    explain: {
      docker: "Docker's filter",
      hardened: "Docker's filter, which cannot be switched off by a flag alone",
      open: "No filter",
    },
    grants: ["all-syscalls", "privileged"],
  },
  {
    rule: "kernel objects",
    explain: {
      docker: "AppArmor's default, where the kernel has it",
      hardened: "AppArmor where the kernel has it, else Landlock: writes, mounts, devices and TCP ports only as told",
      open: "As flags say",
    },
    grants: ["any-path", "new-privileges", "privileged"],
  },
  {
    rule: "user ids",
    explain: {
      docker: "The host's, unless --userns",
      hardened: "Of its own: root inside is nobody outside, and no two containers share one",
      open: "The host's, unless --userns",
    },
    grants: ["host-users", "privileged", "host-net", "host-pid"],
  },
  {
    rule: "ports inside",
    explain: {
      docker: "Every user may listen below 1024",
      hardened: "Ports below 1024 need a grant",
      open: "Every user may listen below 1024",
    },
    grants: ["net-bind"],
  },
  {
    rule: "outbound",
    explain: {
      docker: "Everywhere but other networks and the host's services, unless words of egress say where",
      hardened: "Its own networks only: what is to be reached beyond is named, so that nothing else can be sent out",
      open: "Everywhere but other networks and the host's services, unless words of egress say where",
    },
    grants: ["egress", "host-net"],
  },
  {
    rule: "host namespaces",
    explain: {
      docker: "As flags say",
      hardened: "A flag alone does not share the host's network, processes, memory or name",
      open: "As flags say",
    },
    grants: ["host-net", "host-pid", "host-ipc", "host-uts"],
  },
  {
    rule: "host folders and sockets",
    explain: {
      docker: "As flags say",
      hardened: "Folders of the system and engines' sockets are not mounted by a flag alone",
      open: "As flags say",
    },
    grants: ["host-path", "engine-socket"],
  },
  {
    rule: "devices",
    explain: {
      docker: "As flags say",
      hardened: "No device of the host by a flag alone",
      open: "As flags say",
    },
    grants: ["device", "privileged"],
  },
  {
    rule: "resources",
    explain: {
      docker: "Without limit, unless flags say",
      hardened: "1 GiB of memory, half the CPUs, 512 processes, unless flags say: nobody starves the others",
      open: "Without limit, unless flags say",
    },
    grants: ["any-resources"],
  },
];

/** Bytes. */
export const HARDENED_MEMORY = 2 ** 30;
export const HARDENED_PROCESSES = 512;
