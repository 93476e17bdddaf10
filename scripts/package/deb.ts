/** The Debian package. Source: Debian policy, chapters 3 to 6; deb(5), deb-control(5). */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compressed, files, home, run, type Tree, writeTree } from "./tree.ts";

/** Makes `havre_VERSION_ARCH.deb` in a folder, and returns its path. The same tree makes the same bytes. */
export function makeDebianPackage(into: string, version: string, common: Tree, date: number): string {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const stage = mkdtempSync(join(tmpdir(), "havre-deb-"));
  try {
    const usr = Object.fromEntries(Object.entries(common).map(([path, file]) => [`usr/${path}`, file]));
    const tree: Tree = {
      ...usr,
      "usr/lib/systemd/system/havre.service": { content: readFileSync(join(files, "havre.service")) },
      // Debian's own form has that name; the project's stands beside it.
      "usr/share/doc/havre/changelog.gz": { content: compressed(changelog(version, date)) },
      "usr/share/doc/havre/NEWS.gz": { content: compressed(readFileSync(join(home, "CHANGELOG.md"), "utf8")) },
      "usr/share/lintian/overrides/havre": { content: OVERRIDES },
    };
    const scripts = ["postinst", "prerm", "postrm"].map((name) => [
      `DEBIAN/${name}`,
      { content: readFileSync(join(files, name)), mode: 0o755 },
    ]);
    writeTree(stage, tree, date);
    const kibibytes = Number(run("du", ["-sk", "--apparent-size", stage]).split("\t")[0]);
    const control = { content: controlFile(version, architecture, kibibytes) };
    writeTree(stage, { "DEBIAN/control": control, ...Object.fromEntries(scripts) }, date);
    mkdirSync(into, { recursive: true });
    const output = join(into, `havre_${version}_${architecture}.deb`);
    // A seventh larger than with xz, and done in a tenth of the time, on both sides.
    run("dpkg-deb", ["--root-owner-group", "-Zgzip", "-z6", "--build", stage, output], {
      env: { SOURCE_DATE_EPOCH: String(date) },
    });
    return output;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

const MAINTAINER = "The Havre developers <havre@localhost>";

/** Source: Debian policy 4.4. */
function changelog(version: string, date: number): string {
  const day = new Date(date * 1000).toUTCString().replace("GMT", "+0000");
  return `havre (${version}) unstable; urgency=medium\n\n  * What has changed is told by NEWS.gz.\n\n -- ${MAINTAINER}  ${day}\n`;
}

/** What lintian(1) finds and why it is so. */
const OVERRIDES = `# A program compiled with Bun: its own code is appended to the runtime, which stripping would cut off.
havre: unstripped-binary-or-object [usr/bin/havre]
havre: hardening-no-pie [usr/bin/havre]
havre: hardening-no-relro [usr/bin/havre]
havre: embedded-library *
# It reads the databases of images, not the host's.
havre: uses-dpkg-database-directly [usr/bin/havre]
`;

function controlFile(version: string, architecture: string, kibibytes: number): string {
  return `${[
    "Package: havre",
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    "Section: admin",
    "Priority: optional",
    `Maintainer: ${MAINTAINER}`,
    `Installed-Size: ${kibibytes}`,
    `Depends: ${["libc6 (>= 2.17)", "passwd", ...runtimePackages()].join(", ")}`,
    "Description: container platform in one program",
    " Engine, images, builder, networks, volumes and Compose on one machine. It",
    " speaks Docker's API, so Docker's command line and libraries work with it.",
    " Containers outlive the daemon.",
  ].join("\n")}\n`;
}

/** The Debian packages that the launcher installs for running Havre. */
export function runtimePackages(): string[] {
  const script = readFileSync(join(home, "scripts/prepare.sh"), "utf8");
  const list = /^runtime_packages='\n([^']*)'/m.exec(script)?.[1];
  if (list === undefined) throw new Error("scripts/prepare.sh has no runtime_packages");
  return [...list.matchAll(/^([\w.+-]+):/gm)].map(([, name = ""]) => name);
}
