import { LANDLOCK_FILE_RIGHTS, type LandlockRules } from "../../policy/mod.ts";
import { arm64 } from "./arm64.ts";
import type { Encoder, Instruction, Register, Value } from "./instructions.ts";
import { type Data, programFile } from "./program-file.ts";
import { x64 } from "./x64.ts";

const ENCODERS: Readonly<Record<string, Encoder>> = { x64, arm64 };

const AT_FDCWD = -100;
/** O_PATH and O_CLOEXEC. */
const OPEN_FLAGS = 0x200000 | 0x80000;
const RULE_PATH = 1;
const RULE_PORT = 2;
const ENOENT = -2;
const ENOEXEC = -8;
const EACCES = -13;
const ENOTDIR = -20;
const EINVAL = -22;
const STDERR = 2;
/** crun's exit code where the process cannot be started any more. */
const FAILED = 1;
const BIND_TCP = 1n;
/** Bytes: as long as the longest variable and the longest argument may be, with any processor's pages. */
const LONGEST = 8 * 2 ** 20;

/**
 * A program for this processor that lays the rules on itself and becomes the command that is its arguments, found by PATH as
 * execvp(3) does: nothing of it is left then but the rules. What cannot be started it says in crun's words, with crun's exit
 * code. Where the rules cannot be laid on, it runs nothing. undefined: there is none for this processor.
 */
export function confiner(rules: LandlockRules, architecture: string = process.arch): Uint8Array | undefined {
  const encoder = ENCODERS[architecture];
  if (encoder === undefined) return undefined;
  return programFile(encoder, CODE, dataOf(rules), [
    { label: "rule", size: 16 },
    { label: "path", size: LONGEST },
  ]);
}

function dataOf({ files, network, scopes, paths, ports }: LandlockRules): readonly Data[] {
  const names = paths.map(({ path }, index) => ({ label: `name ${index}`, content: text(`${path}\0`) }));
  const attributes = [files, network, scopes];
  // An older kernel refuses what it does not know, unless it is left out.
  const known = scopes > 0 ? 3 : network > 0 ? 2 : 1;
  return [
    { label: "attributes", content: attributes.map(BigInt) },
    { label: "size", content: [BigInt(known * 8)] },
    {
      label: "paths",
      content: [
        ...paths.flatMap(({ rights }, index) => [
          { at: `name ${index}` },
          BigInt(rights),
          BigInt(rights & LANDLOCK_FILE_RIGHTS),
        ]),
        0n,
      ],
    },
    { label: "ports", content: [...ports.flatMap((port) => [BIND_TCP, BigInt(port)]), 0n] },
    ...names,
    ...Object.entries(WORDS).map(([label, words]) => ({ label, content: text(words) })),
  ];
}

const text = (words: string): Uint8Array => Buffer.from(words);

const WORDS = {
  unconfined: "havre: the kernel does not take this container's Landlock rules; nothing was started\n",
  failed: "exec container process `",
  missing: "exec container process (missing dynamic library?) `",
  noSuchFile: "`: No such file or directory\n",
  noAccess: "`: Permission denied\n",
  noProgram: "`: Exec format error\n",
  otherwise: "`: cannot be run\n",
} as const;

const label = (name: string): Instruction => ({ op: "label", name });
const set = (to: Register, value: Value): Instruction => ({ op: "set", to, value });
const copy = (to: Register, from: Register): Instruction => ({ op: "copy", to, from });
const add = (to: Register, value: number): Instruction => ({ op: "add", to, value });
const load = (register: Register, base: Register, offset = 0): Instruction => memory("load", register, base, offset, 8);
const store = (register: Register, base: Register, offset = 0): Instruction =>
  memory("store", register, base, offset, 8);
const loadByte = (register: Register, base: Register, offset = 0): Instruction =>
  memory("load", register, base, offset, 1);
const storeByte = (register: Register, base: Register): Instruction => memory("store", register, base, 0, 1);
const jump = (to: string): Instruction => ({ op: "jump", to });
const jumpIf = (register: Register, is: "equal" | "different" | "below", value: number, to: string): Instruction => ({
  op: "jumpIf",
  register,
  is,
  value,
  to,
});
const call = (
  name: Extract<Instruction, { op: "call" }>["name"],
  values: readonly (Register | Value)[],
  result: Register = "h",
): Instruction => ({ op: "call", name, arguments: values, result });
function memory(op: "load" | "store", register: Register, base: Register, offset: number, size: 1 | 8): Instruction {
  return { op, register, base, offset, size };
}
const say = (words: keyof typeof WORDS): Instruction =>
  call("write", [STDERR, { at: words }, Buffer.byteLength(WORDS[words])]);
const byte = (character: string): number => character.charCodeAt(0);

/** c: the command's arguments; d: the environment; f: the ruleset; h: why it failed. */
const CODE: readonly Instruction[] = [
  // The stack holds the count of arguments, the arguments, 0, the environment, 0.
  { op: "stack", to: "a" },
  copy("c", "a"),
  add("c", 16),
  copy("d", "a"),
  add("d", 8),
  label("arguments"),
  load("e", "d"),
  add("d", 8),
  jumpIf("e", "different", 0, "arguments"),

  set("a", { at: "size" }),
  load("b", "a"),
  call("landlock_create_ruleset", [{ at: "attributes" }, "b", 0], "f"),
  jumpIf("f", "below", 0, "unconfinable"),

  // What cannot be opened or allowed is not allowed: that is the safe side.
  set("a", { at: "paths" }),
  label("nextPath"),
  load("b", "a"),
  jumpIf("b", "equal", 0, "allPaths"),
  call("openat", [AT_FDCWD, "b", OPEN_FLAGS, 0], "e"),
  jumpIf("e", "below", 0, "donePath"),
  set("b", { at: "rule" }),
  store("e", "b", 8),
  load("g", "a", 8),
  store("g", "b"),
  call("landlock_add_rule", ["f", RULE_PATH, "b", 0]),
  // A file takes no rights of folders.
  jumpIf("h", "different", EINVAL, "closePath"),
  load("g", "a", 16),
  store("g", "b"),
  call("landlock_add_rule", ["f", RULE_PATH, "b", 0]),
  label("closePath"),
  call("close", ["e"]),
  label("donePath"),
  add("a", 24),
  jump("nextPath"),
  label("allPaths"),

  set("a", { at: "ports" }),
  label("nextPort"),
  load("b", "a"),
  jumpIf("b", "equal", 0, "allPorts"),
  call("landlock_add_rule", ["f", RULE_PORT, "a", 0]),
  add("a", 16),
  jump("nextPort"),
  label("allPorts"),
  call("landlock_restrict_self", ["f", 0]),
  jumpIf("h", "below", 0, "unconfinable"),

  load("a", "c"),
  loadByte("b", "a"),
  jumpIf("b", "equal", byte("."), "direct"),
  copy("e", "a"),
  label("search"),
  loadByte("b", "e"),
  jumpIf("b", "equal", 0, "findPath"),
  jumpIf("b", "equal", byte("/"), "direct"),
  add("e", 1),
  jump("search"),
  label("direct"),
  call("execve", ["a", "c", "d"]),
  jump("failure"),

  label("findPath"),
  set("h", ENOENT),
  copy("e", "d"),
  label("nextVariable"),
  load("b", "e"),
  jumpIf("b", "equal", 0, "failure"),
  add("e", 8),
  ...[..."PATH="].flatMap((character, index) => [
    loadByte("g", "b", index),
    jumpIf("g", "different", byte(character), "nextVariable"),
  ]),
  add("b", "PATH=".length),
  label("nextFolder"),
  set("e", { at: "path" }),
  label("copyFolder"),
  loadByte("g", "b"),
  jumpIf("g", "equal", 0, "folderCopied"),
  jumpIf("g", "equal", byte(":"), "folderCopied"),
  storeByte("g", "e"),
  add("b", 1),
  add("e", 1),
  jump("copyFolder"),
  label("folderCopied"),
  // An empty one is where it is: the name then stands alone, `./` before it.
  set("g", { at: "path" }),
  loadByte("f", "g"),
  set("g", byte("/")),
  jumpIf("f", "different", 0, "named"),
  set("g", byte(".")),
  storeByte("g", "e"),
  add("e", 1),
  set("g", byte("/")),
  label("named"),
  storeByte("g", "e"),
  add("e", 1),
  copy("f", "a"),
  label("copyName"),
  loadByte("g", "f"),
  storeByte("g", "e"),
  add("f", 1),
  add("e", 1),
  jumpIf("g", "different", 0, "copyName"),
  call("execve", [{ at: "path" }, "c", "d"], "g"),
  jumpIf("g", "equal", ENOENT, "otherFolder"),
  jumpIf("g", "equal", ENOTDIR, "otherFolder"),
  copy("h", "g"),
  jumpIf("g", "different", EACCES, "failure"),
  label("otherFolder"),
  // Nothing of this folder's name may be left for an empty one that follows.
  set("e", { at: "path" }),
  set("g", 0),
  storeByte("g", "e"),
  loadByte("g", "b"),
  jumpIf("g", "equal", 0, "failure"),
  add("b", 1),
  jump("nextFolder"),

  // a: the command as it was asked for.
  label("failure"),
  copy("e", "a"),
  set("f", 0),
  label("measure"),
  loadByte("g", "e"),
  jumpIf("g", "equal", 0, "measured"),
  add("e", 1),
  add("f", 1),
  jump("measure"),
  label("measured"),
  copy("b", "h"),
  jumpIf("b", "equal", ENOENT, "sayMissing"),
  say("failed"),
  call("write", [STDERR, "a", "f"]),
  jumpIf("b", "equal", EACCES, "sayNoAccess"),
  jumpIf("b", "equal", ENOEXEC, "sayNoProgram"),
  say("otherwise"),
  jump("exit"),
  label("sayMissing"),
  say("missing"),
  call("write", [STDERR, "a", "f"]),
  say("noSuchFile"),
  jump("exit"),
  label("sayNoAccess"),
  say("noAccess"),
  jump("exit"),
  label("sayNoProgram"),
  say("noProgram"),
  label("exit"),
  call("exit_group", [FAILED]),

  label("unconfinable"),
  say("unconfined"),
  jump("exit"),
];
