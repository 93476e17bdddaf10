// Exits 0 when node_modules holds what package-lock.json asks for: by versions, since file times only say when git wrote.
// With --develop, development's packages too. Plain JavaScript: it runs before anything is installed.
import { readFileSync } from "node:fs";

const develop = process.argv.includes("--develop");
const packages = (path) => JSON.parse(readFileSync(path, "utf8")).packages;
try {
  const installed = packages("node_modules/.package-lock.json");
  const wanted = Object.entries(packages("package-lock.json")).filter(
    ([path, { dev, optional }]) => path !== "" && !optional && (develop || !dev),
  );
  process.exit(wanted.every(([path, { version }]) => installed[path]?.version === version) ? 0 : 1);
} catch {
  process.exit(1); // Nothing installed, or nothing that can be read: install.
}
