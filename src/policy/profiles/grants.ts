import { HavreError, nearest } from "../../base/mod.ts";
import { withoutSlash } from "../host-folders.ts";
import { canonicalEgress } from "./egress.ts";

/** A word of what a container is granted beyond its profile, and what it means. */
export interface GrantWord {
  readonly word: string;
  /** What stands after the colon; undefined: nothing. */
  readonly value?: "PATH" | "CAPABILITY" | "DEVICE" | "HOST[:PORT]";
  readonly opens: string;
  /** What somebody who broke in would have of it. */
  readonly gains: string;
}

/** Everything that can be granted, from what is asked for most. */
export const GRANT_WORDS = [
  {
    word: "net-bind",
    opens: "Listens on ports below 1024 inside, as any user",
    gains: "Little: the port is inside until it is published",
  },
  {
    word: "write",
    value: "PATH",
    opens: "Writes there; what it writes lives in a volume of its own",
    gains: "A place to leave files that live as long as the container",
  },
  {
    word: "cap",
    value: "CAPABILITY",
    opens: "Has this capability, within its own user ids",
    gains: "That part of root's power over the container; much more where it shares the host's ids or network",
  },
  {
    word: "egress",
    value: "HOST[:PORT]",
    opens: "Reaches that name, address or network (any: all of them) outside its own networks; none: nothing there",
    gains: "A way to send out what it finds, and to what listens there; with any, to everywhere and other networks",
  },
  {
    word: "new-privileges",
    opens: "Setuid and setcap programs give what they promise",
    gains: "The way from a user inside to root inside",
  },
  {
    word: "any-path",
    opens: "Opens any path its permissions allow, and mounts where it has the capability: no Landlock rules on paths",
    gains: "What a writable kernel file, a device in a volume or a remounted folder gives",
  },
  {
    word: "any-resources",
    opens: "Memory, CPU and processes without a limit but its own",
    gains: "The means to starve everything else on the host",
  },
  {
    word: "host-path",
    value: "PATH",
    opens: "Sees a folder of the host's system that is mounted into it",
    gains: "What is in there: keys, programs, settings of the host",
  },
  {
    word: "device",
    value: "DEVICE",
    opens: "Uses this device of the host",
    gains: "What the device holds or drives, and its driver's mistakes",
  },
  {
    word: "host-users",
    opens: "Has the host's user ids: its root is the host's root",
    gains: "Root on the host, once it gets out",
  },
  {
    word: "host-net",
    opens: "Uses the host's network as its own",
    gains: "Every port and local service of the host",
  },
  {
    word: "host-pid",
    opens: "Sees the host's processes",
    gains: "Their environments and arguments, and signals to those of its user",
  },
  {
    word: "host-ipc",
    opens: "Shares the host's shared memory and message queues",
    gains: "What other programs leave there",
  },
  { word: "host-uts", opens: "Shares the host's name", gains: "Little: with the right capability, another host name" },
  {
    word: "engine-socket",
    opens: "Speaks to the engine",
    gains: "Root on the host: it can start whatever it likes",
  },
  {
    word: "all-syscalls",
    opens: "Calls every system call of the kernel",
    gains: "Every mistake of the kernel that the filter keeps away",
  },
  {
    word: "privileged",
    opens: "Has everything: capabilities, devices, the kernel's own files",
    gains: "Root on the host, at once",
  },
] as const satisfies readonly GrantWord[];

export type GrantName = (typeof GRANT_WORDS)[number]["word"];

/** One thing granted: `cap:net_admin`, `write:/var/cache`, `net-bind`. */
export interface Grant {
  readonly name: GrantName;
  /** A path, a capability as `CAP_NAME`, a device; empty where the word needs none. */
  readonly value: string;
}

/** As it is written. */
export function formatGrant({ name, value }: Grant): string {
  if (value === "") return name;
  return `${name}:${name === "cap" ? value.replace(/^CAP_/, "").toLowerCase() : value}`;
}

export function wordOf(name: GrantName): GrantWord {
  return GRANT_WORDS.find(({ word }) => word === name) as GrantWord;
}

/** Reads one grant. `invalid-argument` names the nearest word. */
export function parseGrant(text: string): Grant {
  const colon = text.indexOf(":");
  const [name, value] = colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)];
  const word: GrantWord | undefined = GRANT_WORDS.find((known) => known.word === name);
  if (!word) {
    const near = nearest(
      name,
      GRANT_WORDS.map((known) => known.word),
    );
    throw refused(text, near === undefined ? "'havre grants' lists what can be granted" : `Did you mean ${near}?`);
  }
  if (word.value === undefined && colon >= 0) throw refused(text, `${name} stands alone`);
  if (word.value !== undefined && value === "") throw refused(text, `Say which: ${name}:${word.value}`);
  if ((word.value === "PATH" || word.value === "DEVICE") && !value.startsWith("/"))
    throw refused(text, `${name} needs an absolute path`);
  return { name: word.word as GrantName, value: canonical(word, value) };
}

function canonical(word: GrantWord, value: string): string {
  if (word.value === "CAPABILITY") return capability(value);
  return word.value === "HOST[:PORT]" ? canonicalEgress(value) : withoutSlash(value);
}

/** A grant, or a word alone for all of its kind (`cap`, `host-path`, `egress:*`). */
export function parseGrantPattern(text: string): Grant {
  const word = GRANT_WORDS.find((known) => known.word === text.replace(/:\*$/, ""));
  return word ? { name: word.word, value: "" } : parseGrant(text);
}

/** Grants as a label holds them: words between spaces or commas. */
export function parseGrants(text: string): readonly Grant[] {
  return text
    .split(/[\s,]+/)
    .filter((word) => word !== "")
    .map(parseGrant);
}

function capability(value: string): string {
  const name = value.toUpperCase();
  return name === "ALL" || name.startsWith("CAP_") ? name : `CAP_${name}`;
}

function refused(text: string, hint: string): HavreError {
  return new HavreError("invalid-argument", `Invalid grant ${JSON.stringify(text)}`, { hint });
}
