/** A piece of software found in a file tree. */
export interface Package {
  readonly kind: "deb" | "apk" | "rpm" | "npm" | "pypi" | "golang";
  /** As its own world writes it (`@scope/name`, `golang.org/x/net`). */
  readonly name: string;
  readonly version: string;
  readonly architecture?: string;
  /** As it says itself; an SPDX expression where its world writes those. */
  readonly license?: string;
  /** Of packages of a distribution: what they were built from. */
  readonly source?: string;
  /** Where it was found, from the top of the tree. */
  readonly place: string;
}

/** The distribution a tree is of (os-release(5)). */
export interface Distribution {
  readonly id: string;
  readonly version: string;
  readonly name: string;
}

/** What was found in a tree. */
export interface Inventory {
  readonly distribution: Distribution | undefined;
  /** Sorted; each once. */
  readonly packages: readonly Package[];
}

/** A package URL (package-url specification): what a package is called everywhere. */
export function packageUrl(found: Package, distribution: Distribution | undefined): string {
  const { kind, name, version, architecture } = found;
  const ofDistribution = kind === "deb" || kind === "apk" || kind === "rpm";
  const namespace = ofDistribution ? `${encode(distribution?.id ?? "unknown")}/` : "";
  const own = kind === "pypi" ? name.toLowerCase().replaceAll("_", "-") : name;
  const path = own.split("/").map(encode).join("/");
  const qualifiers = [
    ...(ofDistribution && architecture ? [`arch=${encode(architecture)}`] : []),
    ...(ofDistribution && distribution?.version
      ? [`distro=${encode(`${distribution.id}-${distribution.version}`)}`]
      : []),
  ];
  const query = qualifiers.length === 0 ? "" : `?${qualifiers.join("&")}`;
  return `pkg:${kind}/${namespace}${path}@${encode(version)}${query}`;
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll("%3A", ":");
}
