// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these templates are Compose's.
import { expect, test } from "bun:test";
import { parseDotenv, parseRawEnv } from "./dotenv.ts";
import { substitute } from "./template.ts";

const VALUES: Readonly<Record<string, string>> = { A: "a", EMPTY: "", N1: "one" };
const unset: string[] = [];
const fill = (template: string) =>
  substitute(
    template,
    (name) => VALUES[name],
    (name) => unset.push(name),
  );

test.each([
  ["$A-${A}", "a-a"],
  ["$$A $${A} $$", "$A ${A} $"],
  ["${NOT:-x}${NOT-y}${EMPTY:-x}${EMPTY-y}", "xyx"],
  ["${A:+x}${A+y}${EMPTY:+x}${EMPTY+y}${NOT+z}", "xyy"],
  ["${NOT:-${ALSO:-{}}}", "{}"],
  ["${NOT:-$A$$}", "a$"],
  ["${A:-${NOT:?never asked}}", "a"],
  ["$1 $ $-", "$1 $ $-"],
  ["$N1x ${N1}x", " onex"],
])("%s", (template, value) => expect(fill(template)).toBe(value));

test("a variable without value or default is told", () => {
  unset.length = 0;
  expect(fill("$GONE${LOST}")).toBe("");
  expect(unset).toEqual(["GONE", "LOST"]);
});

test.each(["${", "${A", "${}", "${A b}", "${:-x}"])("%s is no template", (template) => {
  expect(() => fill(template)).toThrow("Invalid template");
});

test("a required variable", () => {
  expect(() => fill("${NOT:?say $A}")).toThrow("required variable NOT is missing a value: say a");
  expect(() => fill("${EMPTY:?}")).toThrow("required variable EMPTY is missing a value");
  expect(fill("${EMPTY?x}")).toBe("");
});

test("an environment file", () => {
  const text = `# comment
A=1
  export B = 2 # comment
C: 3
D='single $A \\n'
E="double $A \\n \\$A \\"q\\""
F=$A-\${Z}-\${OUT}
G=
H="two
lines"
OUT
NOT
I=a#b
J="x" # after
`;
  const values = parseDotenv("x.env", text, (name) => (name === "OUT" ? "outer" : undefined));
  expect(Object.fromEntries(values)).toEqual({
    A: "1",
    B: "2",
    C: "3",
    D: "single $A \\n",
    E: 'double 1 \n $A "q"',
    F: "1--outer",
    G: "",
    H: "two\nlines",
    OUT: "outer",
    I: "a#b",
    J: "x",
  });
});

test.each([
  ["A B=1", "x.env:1: key cannot contain a space"],
  ["\n$A=1", 'x.env:2: unexpected character "$" in variable name "$A=1"'],
  ['A=1\nB="x', 'x.env:2: unterminated quoted value "x'],
])("%j is no environment file", (text, message) => {
  expect(() => parseDotenv("x.env", text, () => undefined)).toThrow(message);
});

test("a raw environment file", () => {
  expect(Object.fromEntries(parseRawEnv("A='$B'\n# c\nC= d \nOUT\n", () => "o"))).toEqual({
    A: "'$B'",
    C: " d ",
    OUT: "o",
  });
});
