import { dirname } from "node:path";
import type { HostConfig } from "../spec/mod.ts";
import type { LandlockRules } from "./landlock.ts";
import { landlockMountRefusal, landlockPathRefusal, landlockPortRefusal } from "./landlock-refusals.ts";
import { formatGrant, type Grant } from "./profiles/grants.ts";
import type { Profile } from "./profiles/profiles.ts";

/** What is known of a container whose refusals are looked for. */
export interface RefusalGround {
  readonly profile: Profile;
  readonly hostConfig: HostConfig;
  readonly mounts: readonly { readonly destination: string; readonly writable: boolean }[];
  /** It has user ids of its own. */
  readonly ownUsers: boolean;
  /** Landlock rules it is under. */
  readonly landlock?: LandlockRules;
  readonly exitCode: number;
  readonly oomKilled: boolean;
}

/** Something that was denied, as the container's own words or its end tell it. */
export interface Refusal {
  /** Which program tried, where it says its name. */
  readonly process?: string;
  readonly tried: string;
  /** Path, port, capability: what it was tried on. */
  readonly target?: string;
  /** What denied it. */
  readonly rule: string;
  /** What allows it: flags of `run`. Absent where nothing of the engine's does. */
  readonly grant?: string;
  readonly remedy: string;
  /** The line that told it; absent where its end did. */
  readonly evidence?: string;
  /** The kernel told, not the container. */
  readonly seen?: "kernel";
}

/** A path in an error line: in quotes, or before the error's words. */
const PATHS = [
  /["'‘“`](\/[^"'’”`]+)["'’”`]/,
  /(\/[^\s:,;"'()]+)['"]?\)?(?::| failed| \(|$)/,
  /(?:^|[\s(=:])(\/[^\s:,;"'()]+)/,
];
const SIGSYS_EXIT = 128 + 31;
const KILLED_EXIT = 137;
const FIRST_FREE_PORT = 1024;

/** What a system call's refusal means: the capability that it needs. */
const CAPABILITIES: readonly (readonly [told: RegExp, capabilities: readonly string[], tried: string])[] = [
  [/\b(l?f?chown(at)?|chgrp|changing (ownership|group))\b/i, ["CAP_CHOWN"], "changed an owner"],
  [
    /\b(set(e|re|res)?uid|set(e|re|res)?gid|setgroups|initgroups|su-exec|gosu|setpriv|switch (to )?user)\b/i,
    ["CAP_SETUID", "CAP_SETGID"],
    "became another user",
  ],
  [/\b(chmod|changing permissions|utimes?|setting times)\b/i, ["CAP_FOWNER"], "changed somebody else's file"],
  [/\b(u?mount|pivot_root|unshare|setns|swapon|sethostname|hostname)\b/i, ["CAP_SYS_ADMIN"], "administered the system"],
  [/\b(chroot)\b/i, ["CAP_SYS_CHROOT"], "changed its root"],
  [/\b(mknod)\b/i, ["CAP_MKNOD"], "made a device"],
  [/\b(nice|setpriority|sched_set\w+|ionice)\b/i, ["CAP_SYS_NICE"], "raised a priority"],
  [/\b(ptrace|strace|gdb|process_vm_readv)\b/i, ["CAP_SYS_PTRACE"], "looked into another process"],
  [/\b(mlock(all)?|memlock)\b/i, ["CAP_IPC_LOCK"], "locked memory"],
  [/\b(settimeofday|clock_settime|(can't|cannot) set date|hwclock|adjtimex)\b/i, ["CAP_SYS_TIME"], "set the clock"],
  [/\b(raw socket|ping|SOCK_RAW|tcpdump|arping)\b/i, ["CAP_NET_RAW"], "opened a raw socket"],
  [
    /\b(iptables|ip6tables|nft|RTNETLINK|SIOC[A-Z]+|tun\b.*ioctl|ip link|ifconfig)\b/i,
    ["CAP_NET_ADMIN"],
    "changed its network",
  ],
  [/\bkill\b/i, ["CAP_KILL"], "signalled another user's process"],
];

/** Looks for refusals in a container's last lines, oldest first, and in its end. Each kind and target once. */
export function findRefusals(ground: RefusalGround, lines: readonly string[]): readonly Refusal[] {
  const found = [...ofTheEnd(ground), ...lines.flatMap((line) => ofLine(line, ground))];
  return [
    ...new Map(found.map((refusal) => [`${refusal.rule}\0${refusal.target ?? refusal.tried}`, refusal])).values(),
  ];
}

function ofTheEnd({ hostConfig, oomKilled, exitCode }: RefusalGround): readonly Refusal[] {
  const memory = `${Math.round(hostConfig.Memory / 2 ** 20)} MiB`;
  if (oomKilled && hostConfig.Memory > 0)
    return [
      {
        tried: "used more memory than it may",
        target: memory,
        rule: "resources: its memory is limited",
        grant: "--memory SIZE",
        remedy: `Give it more than ${memory}: --memory ${doubled(hostConfig.Memory)}`,
      },
    ];
  if (exitCode === SIGSYS_EXIT)
    return [
      {
        tried: "made a system call that the filter denies",
        rule: "system calls: the filter ends who tries",
        grant: "--grant all-syscalls --security-opt seccomp=unconfined",
        remedy:
          "Allow that one call by a filter of its own: --security-opt seccomp=FILE; for a first look --grant all-syscalls --security-opt seccomp=unconfined",
      },
    ];
  if (exitCode === KILLED_EXIT && hostConfig.Memory > 0)
    return [
      {
        tried: "was killed, and not by the engine's own account",
        target: "SIGKILL",
        rule: "the host: out of memory outside its limit, or somebody's kill -9",
        remedy: "dmesg on the host tells which",
      },
    ];
  return [];
}

function ofLine(line: string, ground: RefusalGround): readonly Refusal[] {
  const base = { evidence: line.trim(), ...processIn(line) };
  const says = (words: RegExp): boolean => words.test(line);
  if (says(/read-only file ?system|EROFS/i)) return [{ ...base, ...readOnly(pathIn(line), ground) }];
  const denied = says(/permission denied|EACCES|\b13:|\(13\)/i);
  const unpermitted = says(/operation not permitted|EPERM|\b1: Operation|not permitted/i);
  if ((denied || unpermitted) && says(/\b(bind|listen|listening)\b/i))
    return lowPort(line, ground).map((one) => ({ ...base, ...one }));
  if (says(/no new privileges|effective uid is not 0|must be s(et)?uid/i))
    return [
      {
        ...base,
        tried: "gained privileges by a setuid program",
        rule: "new privileges: nothing that is started gains one",
        grant: "--grant new-privileges",
        remedy: "--grant new-privileges, or start it as the user it needs: --user",
      },
    ];
  if (unpermitted || denied)
    return capabilityOf(line, ground, base) ?? (denied ? [{ ...base, ...noAccess(pathIn(line), ground) }] : []);
  if (
    says(
      /cannot fork|fork failed|can't fork|fork:.*unavailable|clone.*EAGAIN|unable to create (new )?native thread|pthread_create failed/i,
    )
  )
    return [
      {
        ...base,
        tried: "started more processes than it may",
        target: String(ground.hostConfig.PidsLimit ?? "its limit"),
        rule: "resources: its processes are limited",
        grant: "--pids-limit NUMBER",
        remedy: `--pids-limit ${(ground.hostConfig.PidsLimit ?? 0) * 2 || 1024}`,
      },
    ];
  if (says(/network is unreachable|ENETUNREACH/i))
    return [
      {
        ...base,
        tried: "reached out",
        rule: ground.hostConfig.NetworkMode === "none" ? "network: it has none" : "network: there is no way out of it",
        remedy: "Put it on a network that has one: --network NETWORK that is not --internal",
      },
    ];
  return [];
}

/** A write that met a read-only file system: whose, and what makes it writable. */
export function readOnly(
  path: string | undefined,
  { mounts, hostConfig }: RefusalGround,
  folder = path === undefined ? "/PATH" : dirname(path),
): Omit<Refusal, "evidence" | "process"> {
  const mount = path === undefined ? undefined : mounts.filter(({ destination }) => isBelow(path, destination)).at(-1);
  const target = path === undefined ? {} : { target: path };
  if (mount && !mount.writable)
    return {
      tried: "wrote",
      ...target,
      rule: `mount: ${mount.destination} is mounted read-only`,
      remedy: `Mount it without ro: -v SOURCE:${mount.destination}`,
    };
  if (path !== undefined && (isBelow(path, "/proc") || isBelow(path, "/sys")))
    return {
      tried: "wrote",
      ...target,
      rule: "kernel files: read-only",
      remedy: isBelow(path, "/proc/sys")
        ? `--sysctl ${path.slice("/proc/sys/".length).replaceAll("/", ".")}=VALUE, where the setting is the container's own`
        : "Set it on the host: it is not the container's own",
    };
  if (!hostConfig.ReadonlyRootfs)
    return {
      tried: "wrote",
      ...target,
      rule: "the file system itself is read-only",
      remedy: "Look at what is mounted there",
    };
  const grant = `--grant ${formatGrant({ name: "write", value: folder })}`;
  return {
    tried: "wrote",
    ...target,
    rule: "root file system: read-only",
    grant,
    remedy: `${grant}, or --tmpfs ${folder === "/" ? "/PATH" : folder} if it need not last`,
  };
}

function lowPort(line: string, { landlock }: RefusalGround): readonly Omit<Refusal, "evidence" | "process">[] {
  const port = /:(\d{1,5})\b/.exec(line.replace(/\d+:\d+:\d+/g, ""))?.[1] ?? /\bport (\d{1,5})\b/i.exec(line)?.[1];
  if (port !== undefined && Number(port) >= FIRST_FREE_PORT) {
    const undeclared = landlock && landlockPortRefusal(Number(port), landlock);
    return undeclared ? [undeclared] : [];
  }
  const others = port === undefined && landlock !== undefined && landlock.network > 0;
  return [
    {
      tried: "listened",
      target: port === undefined ? (others ? "a port" : "a port below 1024") : `port ${port}`,
      rule: `ports inside: those below 1024 need a grant${others ? ", others are published or declared" : ""}`,
      grant: "--grant net-bind",
      remedy: others
        ? "Below 1024: --grant net-bind; from 1024 on: --expose PORT, or publish it with -p"
        : "--grant net-bind, or let it listen on a port from 1024 on and publish that: -p 80:8080",
    },
  ];
}

function capabilityOf(
  line: string,
  { hostConfig, landlock }: RefusalGround,
  base: object,
): readonly Refusal[] | undefined {
  const known = CAPABILITIES.find(([told]) => told.test(line));
  if (!known) return undefined;
  const [, capabilities, tried] = known;
  const missing = capabilities.filter(
    (name) => !(hostConfig.CapAdd ?? []).includes(name) && !(hostConfig.CapAdd ?? []).includes("ALL"),
  );
  if (missing.length === 0) {
    const mount = landlock && tried === "administered the system" && landlockMountRefusal(landlock);
    return mount ? [{ ...base, ...mount }] : undefined;
  }
  const grant = missing.map((value) => `--grant ${formatGrant({ name: "cap", value } satisfies Grant)}`).join(" ");
  return [
    {
      ...base,
      tried,
      target: missing.join(", "),
      rule: `capabilities: ${missing.join(" and ")} ${missing.length > 1 ? "were" : "was"} not granted`,
      grant,
      remedy: grant,
    },
  ];
}

/** What a file's own permissions refused. */
export function noAccess(
  path: string | undefined,
  { ownUsers, hostConfig, landlock }: RefusalGround,
): Omit<Refusal, "evidence" | "process"> {
  const ruled = path !== undefined && landlock && landlockPathRefusal(path, landlock);
  if (ruled) return ruled;
  const dropped = (hostConfig.CapDrop ?? []).some((name) => name === "ALL" || name === "CAP_DAC_OVERRIDE");
  return {
    tried: "opened",
    ...(path === undefined ? {} : { target: path }),
    rule: `file permissions: its user may not${dropped ? ", and root inside has no power over others' files" : ""}`,
    ...(dropped ? { grant: "--grant cap:dac_override" } : {}),
    remedy: [
      "Give it to the user that the container runs as (chown in the image, or --user)",
      ...(dropped ? ["or --grant cap:dac_override"] : []),
      ...(ownUsers ? ["a mount of the host's must belong to that user too"] : []),
    ].join("; "),
  };
}

function pathIn(line: string): string | undefined {
  for (const pattern of PATHS) {
    const path = pattern.exec(line)?.[1];
    if (path !== undefined && path.length > 1) return path;
  }
  return undefined;
}

/** The name that programs put before what they say: `touch: …`. */
function processIn(line: string): { readonly process?: string } {
  const name = /^([a-z][\w.+-]*)(?:\[\d+\])?: /.exec(line.trim())?.[1];
  return name === undefined || /^(error|warn(ing)?|fatal|info|err|open)$/.test(name) ? {} : { process: name };
}

const isBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);

function doubled(bytes: number): string {
  return `${Math.max(1, Math.round((bytes * 2) / 2 ** 20))}m`;
}
