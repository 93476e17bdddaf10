/**
 * `npm run package`: builds the program and makes of it, in `build/packages/`, a Debian package, an archive for any
 * distribution and a package for npm. Times are those of the last commit, or of SOURCE_DATE_EPOCH.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { makeDebianPackage } from "./deb.ts";
import { makeTarball } from "./tarball.ts";
import { commonTree, home, run } from "./tree.ts";

const into = join(home, "build/packages");
const { version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as { readonly version: string };
const date = Number(process.env.SOURCE_DATE_EPOCH || run("git", ["log", "-1", "--format=%ct"]));

rmSync(into, { recursive: true, force: true });
mkdirSync(into, { recursive: true });
// npm builds the program first, as it does for anyone who calls it.
const packed = run("npm", ["pack", "--silent", "--pack-destination", into]).trim().split("\n").at(-1) ?? "";
const tree = await commonTree(version, date);
const made = [makeDebianPackage(into, version, tree, date), makeTarball(into, version, tree, date), packed];
for (const path of made) console.log(join("build/packages", basename(path)));
