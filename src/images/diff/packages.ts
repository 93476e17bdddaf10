import { readDpkgStatus } from "../sbom/dpkg.ts";
import type { PackageDifference } from "./difference.ts";
import { Folder } from "./folder.ts";

const MAX_STATUS = 64 << 20;

interface Package {
  readonly name: string;
  readonly architecture: string;
  readonly version: string;
}

/** Debian packages installed in the one tree and not, or in another version, in the other. */
export function comparePackages(before: string | undefined, after: string | undefined): PackageDifference[] {
  const [a, b] = [installedPackages(before), installedPackages(after)];
  const differences: PackageDifference[] = [];
  for (const key of [...new Set([...a.keys(), ...b.keys()])].sort()) {
    const [was, is] = [a.get(key), b.get(key)];
    const known = is ?? was;
    if (!known || was?.version === is?.version) continue;
    differences.push({
      name: known.name,
      architecture: known.architecture,
      ...(was === undefined ? {} : { before: was.version }),
      ...(is === undefined ? {} : { after: is.version }),
    });
  }
  return differences;
}

/** From dpkg's status file, and the folder of single files that distroless images have instead. */
function installedPackages(tree: string | undefined): Map<string, Package> {
  const packages = new Map<string, Package>();
  if (tree === undefined) return packages;
  using root = Folder.open(tree);
  using variable = root.folder("var");
  using library = variable?.folder("lib");
  using dpkg = library?.folder("dpkg");
  using status = dpkg?.file("status");
  using parts = dpkg?.folder("status.d");
  addPackages(packages, status?.text(MAX_STATUS));
  for (const name of parts?.names() ?? []) {
    if (name.endsWith(".md5sums")) continue;
    using part = parts?.file(name);
    addPackages(packages, part?.text(MAX_STATUS));
  }
  return packages;
}

function addPackages(packages: Map<string, Package>, text: string | undefined): void {
  for (const { name, version, architecture = "" } of readDpkgStatus(text ?? "", "")) {
    packages.set(`${name}:${architecture}`, { name, version, architecture });
  }
}
