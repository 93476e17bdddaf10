import { expect, test } from "bun:test";
import { BUILT_IN } from "./entries/mod.ts";
import { basesOf, entryReference, isRoot, parseEntry } from "./entry.ts";

const ROOT = `name: a
version: "1.10"
owner: me
summary: s
revision: 2026-01-31
root: {suite: bookworm, variant: minbase, packages: [x], command: [sh]}
`;

test("every entry that comes along can be read, stands on another, and says what is needed to know", () => {
  const entries = Object.entries(BUILT_IN).map(([file, text]) => parseEntry(file, text));
  const references = entries.map(entryReference);
  expect(new Set(references).size).toBe(entries.length);
  for (const entry of entries) {
    for (const base of basesOf(entry)) expect(references).toContain(base);
    if (isRoot(entry.recipe)) continue;
    expect(entry.usage).not.toBe("");
    expect(entry.recipe.dockerfile).toMatch(/^USER (?!root)/m);
  }
});

test("versions stay text", () => {
  expect(entryReference(parseEntry("a.yaml", ROOT))).toBe("catalogue.internal/a:1.10");
});

test.each([
  [ROOT.replace("owner: me\n", ""), "Catalogue entry a.yaml: owner is missing"],
  [ROOT.replace("minbase", "large"), "variant is one of minbase, essential, extract"],
  [`${ROOT}size: 1\n`, "unknown field size"],
  [`${ROOT}dockerfile: FROM scratch\n`, "either root or dockerfile, not both"],
  [ROOT.replace("2026-01-31", "soon"), "revision is no date"],
  [ROOT.replace("name: a", "name: A B"), "A B is no name of an image"],
  [ROOT.replace("packages: [x]", "packages: x"), "packages is no list of words"],
  ["- a\n", "not a mapping of fields"],
  ["a: [", "Catalogue entry a.yaml: "],
])("what is wrong in an entry is named", (text, message) => {
  expect(() => parseEntry("a.yaml", text)).toThrow(message);
});
