import type { Image } from "../images/mod.ts";

/** A package of an image that the distribution has in a newer version. */
export interface OutdatedPackage {
  readonly name: string;
  readonly installed: string;
  readonly available: string;
  /** From the distribution's security repository. */
  readonly security: boolean;
}

/** The Dockerfile whose last step says which packages of `image` apt would upgrade. */
export function outdatedDockerfile(base: string, image: Pick<Image, "id">): string {
  return [
    `FROM ${base}`,
    `COPY --from=${image.id} /var/lib/dpkg /var/lib/dpkg`,
    "RUN apt-get -qq update && apt-get --simulate dist-upgrade",
  ].join("\n");
}

const LINE = /^Inst (\S+) \[([^\]]+)\] \((\S+) ([^)]*)\)/;

/** What `apt-get --simulate dist-upgrade` says, as packages sorted by name; new dependencies are none of the image's. */
export function outdatedPackages(output: string): readonly OutdatedPackage[] {
  const packages = output.split("\n").flatMap((line) => {
    const [, name, installed, available, origin] = LINE.exec(line) ?? [];
    if (name === undefined || installed === undefined || available === undefined) return [];
    return [{ name, installed, available, security: /security/i.test(origin ?? "") }];
  });
  return packages.sort((a, b) => (a.name < b.name ? -1 : 1));
}
