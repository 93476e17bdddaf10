import { dirname } from "node:path";
import { formatGrant, GRANT_WORDS, type Grant, type GrantWord, parseGrant } from "../profiles/grants.ts";
import { decidesCall } from "./capability-calls.ts";
import { type Attempt, type Observed, portOf } from "./observed.ts";

/** What is known of a container beside what it did. */
export interface NeedGround {
  /** Where it may write without a grant: tmpfs and mounts of its own. */
  readonly writable: readonly string[];
  /** Networks it is a member of, `10.1.0.0/16`. */
  readonly networks: readonly string[];
}

/** A grant, and what shows that it is needed. */
export interface Need {
  readonly grant: string;
  readonly evidence: readonly Evidence[];
}

export interface Evidence {
  readonly process: string;
  readonly call: string;
  readonly target?: string;
  readonly count: number;
}

/** What every container may write to, whatever its root. */
const SCRATCH = ["/tmp", "/run", "/dev", "/proc", "/sys"];
/** The runtime's own work before the container's program begins, and before an exec's. */
const RUNTIME = /^(crun|runc|exe$|\d+$)/;
/** What the kernel asks for and does without where it is absent: nothing fails. */
const DISPENSABLE = ["CAP_FSETID", "CAP_NET_BIND_SERVICE", "CAP_DAC_READ_SEARCH"];
const HARMLESS = /^\/dev\/(null|zero|full|random|urandom|tty|console|ptmx|pts\/.*|shm\/.*|stdin|stdout|stderr|fd\/.*)$/;
const FIRST_FREE_PORT = 1024;

/** The least set of grants for what was done. Failed attempts need none: what does without them may. */
export function needsOf({ attempts }: Observed, ground: NeedGround): readonly Need[] {
  const own = attempts.filter(({ process }) => !RUNTIME.test(process));
  const found = own.flatMap((attempt) => grantsFor(attempt, ground).map((grant) => ({ grant, attempt })));
  const needs = new Map<string, { grant: Grant; evidence: Evidence[] }>();
  for (const { grant, attempt } of withoutLower(found)) {
    const key = formatGrant(grant);
    const need = needs.get(key) ?? { grant, evidence: [] };
    need.evidence.push(toEvidence(attempt));
    needs.set(key, need);
  }
  return [...needs]
    .map(([grant, { evidence }]) => ({ grant, evidence }))
    .sort((a, b) => a.grant.localeCompare(b.grant));
}

function grantsFor(attempt: Attempt, ground: NeedGround): readonly Grant[] {
  const { kind, target = "" } = attempt;
  const capabilities = Object.entries(attempt.capabilities).flatMap(([name, had]): Grant[] =>
    had && decidesCall(name, attempt.call) && !DISPENSABLE.includes(name) ? [{ name: "cap", value: name }] : [],
  );
  if (!succeeded(attempt)) return kind === "connect" ? outwards(target, ground) : [];
  if (kind === "write" || kind === "owner") {
    const path = target.replace(/ [\d:]*$/, "");
    return [
      ...capabilities,
      ...(isWritable(path, ground) ? [] : [{ name: "write" as const, value: folderFor(attempt, path) }]),
    ];
  }
  if (kind === "bind" && (portOf(target) ?? FIRST_FREE_PORT) < FIRST_FREE_PORT && portOf(target) !== 0)
    return [{ name: "net-bind", value: "" }];
  if (kind === "connect") return outwards(target, ground);
  if (kind === "device" && !HARMLESS.test(target)) return [...capabilities, { name: "device", value: target }];
  return capabilities;
}

function succeeded({ count, failed, filtered }: Attempt): boolean {
  return !filtered && Object.values(failed).reduce((sum, times) => sum + times, 0) < count;
}

function isWritable(path: string, { writable }: NeedGround): boolean {
  return [...SCRATCH, ...writable].some((folder) => isBelow(path, folder)) || !path.startsWith("/");
}

/** The folder that must be writable. A folder at the top is granted itself, lest the whole root be opened; a file there needs the root. */
export function folderFor({ call }: Pick<Attempt, "call">, path: string): string {
  return dirname(path) === "/" && !/^(open|creat)/.test(call) ? path : dirname(path);
}

/** Where a folder's grant covers those below it. */
function withoutLower<T extends { readonly grant: Grant }>(found: readonly T[]): readonly T[] {
  const folders = found.flatMap(({ grant }) => (grant.name === "write" ? [grant.value] : []));
  return found.map((one) => {
    if (one.grant.name !== "write") return one;
    const { value } = one.grant;
    const top = folders.filter((folder) => isBelow(value, folder)).sort((a, b) => a.length - b.length)[0] ?? value;
    return { ...one, grant: { ...one.grant, value: top } };
  });
}

/** Addresses outside of itself and of its networks, where the engine has a word for them. */
function outwards(target: string, { networks }: NeedGround): readonly Grant[] {
  const words: readonly GrantWord[] = GRANT_WORDS;
  const [, transport, host = "", port = ""] = /^(tcp|udp) (.*):(\d+)$/.exec(target) ?? [];
  if (!words.some(({ word }) => word === "egress") || host === "" || port === "0") return [];
  if (/^127\.|^\[::1\]$|^0\.0\.0\.0$|^\[::\]$/.test(host) || networks.some((network) => contains(network, host)))
    return [];
  try {
    return [parseGrant(`egress:${host}:${port}${transport === "udp" ? "/udp" : ""}`)];
  } catch {
    return [];
  }
}

function contains(network: string, host: string): boolean {
  const [base = "", length = "0"] = network.split("/");
  const [one, other] = [base, host].map(bitsOf);
  return one !== undefined && other !== undefined && one.slice(0, Number(length)) === other.slice(0, Number(length));
}

function bitsOf(address: string): string | undefined {
  const bytes = address.split(".").map(Number);
  if (bytes.length !== 4 || bytes.some((byte) => !(byte >= 0 && byte < 256))) return undefined;
  return bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
}

const isBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);

function toEvidence(attempt: Attempt): Evidence {
  const { process, call, target, count } = attempt;
  return { process, call, ...(target === undefined ? {} : { target }), count };
}

/** How what was granted compares with what was used. */
export interface Drift {
  readonly granted: readonly { readonly grant: string; readonly evidence: readonly Evidence[] }[];
  /** Used, and granted by no word: the profile, or a flag, gave it. */
  readonly beyond: readonly Need[];
}

/** Grants that cannot be seen in use are not told. */
export function driftOf(needs: readonly Need[], granted: readonly Grant[]): Drift {
  const parsed = needs.map((need) => ({ need, grant: parseGrant(need.grant) }));
  const covered = (by: Grant, { grant }: { readonly grant: Grant }): boolean =>
    by.name === grant.name &&
    (by.name === "write" ? isBelow(grant.value, by.value) : by.value === grant.value || by.value === "ALL");
  return {
    granted: granted
      .filter(({ name }) => SEEN.includes(name))
      .map((grant) => ({
        grant: formatGrant(grant),
        evidence: parsed.filter((one) => covered(grant, one)).flatMap(({ need }) => need.evidence),
      })),
    beyond: parsed.filter((one) => !granted.some((grant) => covered(grant, one))).map(({ need }) => need),
  };
}

const SEEN: readonly string[] = ["write", "cap", "net-bind", "device", "egress"];
