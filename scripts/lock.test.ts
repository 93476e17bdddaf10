import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
const read = (path: string): string => readFileSync(resolve(import.meta.dirname, "..", path), "utf8");
const { packages } = JSON.parse(read("package-lock.json")) as { readonly packages: Readonly<Record<string, Locked>> };

test("the lock names no registry", () => {
  expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
});

// npm leaves out optional packages that its registry of the day did not have, and then refuses the lock: `npm ci` fails.
test("the lock holds every platform's packages", () => {
  const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
    Object.entries(optionalDependencies),
  );
  const absent = wanted.filter(([name, version]) => packages[`node_modules/${name}`]?.version !== version);
  expect(absent).toEqual([]);
});

test("each dependency says in docs/dependencies.md what it is for", () => {
  const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
  const page = read("docs/dependencies.md");
  expect(Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !page.includes(`\`${name}\``))).toEqual(
    [],
  );
});
