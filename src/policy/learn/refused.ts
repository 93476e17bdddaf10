import { formatGrant } from "../profiles/grants.ts";
import { noAccess, type Refusal, type RefusalGround, readOnly } from "../refusals.ts";
import { usualCapability } from "./capability-calls.ts";
import { folderFor } from "./needs.ts";
import { type Attempt, type Observed, portOf } from "./observed.ts";

type Told = Omit<Refusal, "process" | "evidence">;

const FIRST_FREE_PORT = 1024;
/** What outbound rules refuse is told by their counters. */
const NO_WAY = ["ENETUNREACH"];

/** What was refused in an observed run, by the kernel's own account; each kind and target once, in the order in which it was first tried. */
export function refusedIn({ attempts }: Observed, ground: RefusalGround): readonly Refusal[] {
  const found = attempts.flatMap((attempt) =>
    refusalOf(attempt, ground).map((told) => ({
      process: attempt.process,
      ...told,
      evidence: evidenceOf(attempt),
      seen: "kernel" as const,
    })),
  );
  return [
    ...new Map(found.map((refusal) => [`${refusal.rule}\0${refusal.target ?? refusal.tried}`, refusal])).values(),
  ];
}

/** Refused connections, which the kernel counts without saying whose they were, with the program that tried. */
export function withPrograms(outbound: readonly Refusal[], { attempts }: Observed): readonly Refusal[] {
  return outbound.map((refusal) => {
    const [, address, port] = /([\da-f.:]+)\)? port (\d+)\//.exec(refusal.target ?? "") ?? [];
    const ends = [` ${address}:${port}`, ` [${address}]:${port}`];
    const met = attempts.find(
      ({ kind, target = "" }) => kind === "connect" && ends.some((end) => target.endsWith(end)),
    );
    return met === undefined
      ? refusal
      : { ...refusal, process: met.process, evidence: evidenceOf(met), seen: "kernel" };
  });
}

/** `openat failed with EROFS, 3 times`. */
export function evidenceOf({ call, failed, count, filtered }: Attempt): string {
  const ends = Object.entries(failed).map(([name, times]) => `${name}${times > 1 ? ` (${times} times)` : ""}`);
  if (filtered) return `${call} was refused by the filter${count > 1 ? `, ${count} times` : ""}`;
  return ends.length === 0 ? `${call}${count > 1 ? `, ${count} times` : ""}` : `${call} failed with ${ends.join(", ")}`;
}

function refusalOf(attempt: Attempt, ground: RefusalGround): readonly Told[] {
  const { kind, call, target, failed, filtered } = attempt;
  const met = (...names: string[]): boolean => names.some((name) => failed[name] !== undefined);
  if (filtered) return [filteredCall(attempt)];
  if (met("EROFS")) {
    const path = target?.replace(/ [\d:]*$/, "");
    return [readOnly(path, ground, path === undefined ? undefined : folderFor(attempt, path))];
  }
  if (kind === "bind" && met("EACCES")) return lowPort(target ?? "");
  if ((kind === "owner" || kind === "user") && met("EINVAL")) return ground.ownUsers ? [unmapped(attempt)] : [];
  if (kind === "connect" && met(...NO_WAY)) return noWay(target ?? "", ground);
  if (!met("EPERM", "EACCES")) return [];
  const asked = Object.entries(attempt.capabilities).flatMap(([name, had]) => (had ? [] : [name]));
  const permissions = asked.some((name) => name.startsWith("CAP_DAC_"));
  if (permissions || (met("EACCES") && (kind === "read" || kind === "write"))) return [noAccess(target, ground)];
  const guess = asked[0] ?? (kind === "device" ? undefined : usualCapability(call));
  if (guess !== undefined) return [missingCapability(attempt, guess)];
  if (kind === "device") return [device(target ?? "")];
  return [];
}

function missingCapability({ kind, call, target }: Attempt, capability: string): Told {
  const grant = `--grant ${formatGrant({ name: "cap", value: capability })}`;
  return {
    tried: triedOf(kind, call),
    target: target === undefined ? capability : `${target} (${capability})`,
    rule: `capabilities: ${capability} was not granted`,
    grant,
    remedy: grant,
  };
}

function triedOf(kind: Attempt["kind"], call: string): string {
  if (kind === "owner") return "changed an owner";
  if (kind === "user") return "became another user";
  if (kind === "raw-socket") return "opened a raw socket";
  if (kind === "write") return "changed";
  return `called ${call}`;
}

/** Docker's filter gives back with a capability what that governs. */
function filteredCall({ call, target }: Attempt): Told {
  const capability = usualCapability(call);
  const told = { tried: `called ${call}`, ...(target === undefined ? {} : { target }) };
  const rule = `system calls: the filter does not have ${call}`;
  if (capability === undefined)
    return {
      ...told,
      rule,
      remedy: `Add ${call} to the filter that it has (--security-opt seccomp=FILE), or learn one anew: havre harden`,
    };
  const grant = `--grant ${formatGrant({ name: "cap", value: capability })}`;
  return { ...told, rule: `${rule} without ${capability}`, grant, remedy: grant };
}

function unmapped({ kind, target }: Attempt): Told {
  return {
    tried: kind === "owner" ? "gave a file to an id that is not its own" : "became an id that is not its own",
    ...(target === undefined ? {} : { target }),
    rule: "user ids: it has a range of its own, and this one lies outside",
    grant: "--grant host-users",
    remedy: "Use an id below 65536; where it must be the host's: --userns host --grant host-users",
  };
}

function lowPort(target: string): readonly Told[] {
  const port = portOf(target);
  if (port === undefined || port >= FIRST_FREE_PORT) return [];
  return [
    {
      tried: "listened",
      target: `port ${port}`,
      rule: "ports inside: those below 1024 need a grant",
      grant: "--grant net-bind",
      remedy: "--grant net-bind, or let it listen on a port from 1024 on and publish that: -p 80:8080",
    },
  ];
}

function noWay(target: string, { hostConfig }: RefusalGround): readonly Told[] {
  if (target.startsWith("unix ")) return [];
  const told = { tried: "reached out", target };
  if (hostConfig.NetworkMode === "none")
    return [
      { ...told, rule: "network: it has none", remedy: "Put it on a network that has a way out: --network NETWORK" },
    ];
  return [
    {
      ...told,
      rule: "network: there is no way there",
      remedy: "Put it on a network that has a way out, not --internal",
    },
  ];
}

function device(path: string): Told {
  return {
    tried: "opened a device",
    target: path,
    rule: "devices: only the harmless ones",
    grant: `--device ${path} --grant device:${path}`,
    remedy: `--device ${path} --grant device:${path}`,
  };
}
