/** Makes wrong input of right input: bytes, texts and JSON, the same for the same numbers. */
import type { Random } from "../harness/random.ts";

const NUMBERS = [0, 1, -1, 255, 65_536, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 63), 1e308, 0.5];
/** What readers of names, paths, words and numbers trip over. Nothing here harms a host that does as it is told. */
const WORDS = [
  ..."\0\t\r\n \"'\\/%$&?#:;,.=@~*[]{}<>|☃\u{1F6A2}\uFEFF\uFFFD",
  "..",
  "../../../../tmp/fuzz",
  "/proc/self/fd/0",
  "%00",
  "%2e%2e%2f",
  "\u0000x",
  "${",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable as Compose files have it
  "${A:-${B}}",
  "-1",
  "0",
  "9223372036854775808",
  "1e999",
  "NaN",
  "null",
  "true",
  "[]",
  "{}",
  '{"a":',
  "sha256:",
  `sha256:${"0".repeat(64)}`,
  "127.0.0.1",
  "::1",
  "0.0.0.0/0",
  "fe80::1%lo",
  "__proto__",
  "constructor",
  "a".repeat(300),
  "long/".repeat(1000),
];

export function mutateText(text: string, random: Random, pieces: readonly string[] = WORDS): string {
  let result = text;
  for (let left = 1 + random.below(4); left > 0; left--) {
    const at = random.below(result.length + 1);
    const end = Math.min(result.length, at + random.below(random.pick([2, 8, 60])));
    const piece = random.below(3) > 0 ? random.pick(pieces) : random.pick(WORDS);
    const part = result.slice(at, end);
    const middle = random.pick([piece, "", part + part, part + piece, [...part].reverse().join("")]);
    result = result.slice(0, at) + middle + result.slice(end);
  }
  // No half of a character outside the basic plane: no text that comes from bytes has one.
  return result.toWellFormed();
}

export function mutateBytes(bytes: Uint8Array, random: Random): Buffer {
  let result = Buffer.from(bytes);
  for (let left = 1 + random.below(6); left > 0 && result.length > 0; left--) {
    const at = random.below(result.length);
    switch (random.below(6)) {
      case 0:
        result[at] = random.below(256);
        break;
      case 1:
        result[at] = (result[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 2:
        result.fill(random.pick([0, 0x20, 0x37, 0xff]), at, Math.min(result.length, at + random.below(24)));
        break;
      case 3:
        result = result.subarray(0, at);
        break;
      case 4:
        result.copy(result, random.below(result.length), at, at + random.below(512));
        break;
      default:
        result = Buffer.concat([result.subarray(0, at), Buffer.from(random.pick(WORDS)), result.subarray(at)]);
    }
  }
  return result;
}

/** A value of the same shape with something changed in it: a key, a type, a number, a word, a depth. */
export function mutateJson(value: unknown, random: Random): unknown {
  if (random.below(12) === 0) return stranger(random);
  if (Array.isArray(value)) {
    if (value.length === 0 || random.below(6) === 0) return [...value, stranger(random)];
    const chosen = random.below(value.length);
    return value.map((item, index) => (index === chosen ? mutateJson(item, random) : item));
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    if (entries.length === 0 || random.below(8) === 0) return { ...value, [random.pick(WORDS)]: stranger(random) };
    const chosen = random.below(entries.length);
    return Object.fromEntries(
      entries.map(([key, item], index) => (index === chosen ? [key, mutateJson(item, random)] : [key, item])),
    );
  }
  if (typeof value === "string" && random.below(3) > 0) return mutateText(value, random);
  if (typeof value === "number" && random.below(3) > 0) return random.pick(NUMBERS);
  return stranger(random);
}

function stranger(random: Random): unknown {
  switch (random.below(9)) {
    case 0:
      return null;
    case 1:
      return random.below(2) === 0;
    case 2:
      return random.pick(NUMBERS);
    case 3:
      return [];
    case 4:
      return {};
    case 5:
      return [null, { "": [random.pick(WORDS)] }];
    case 6:
      return JSON.parse(`${"[".repeat(500)}${"]".repeat(500)}`);
    default:
      return random.pick(WORDS);
  }
}
