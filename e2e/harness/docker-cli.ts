/**
 * The docker command line that drives the tests, and its plug-ins: Debian's own package, downloaded with apt into `build/test-tools` and
 * unpacked there, not installed. HAVRE_TEST_DOCKER names another one to use.
 */
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const home = resolve(import.meta.dirname, "../..");
/** The first of Debian's releases that packages the command line by itself. */
const SUITE = "trixie";

/** Path of a docker command line; fetched at first use. */
export function dockerCli(): string {
  return process.env.HAVRE_TEST_DOCKER ?? fetched("docker-cli", "usr/bin/docker");
}

/** Folder of the plug-in `docker buildx`, which `docker build` runs; fetched at first use. */
export function buildxFolder(): string {
  return dirname(fetched("docker-buildx", "usr/libexec/docker/cli-plugins/docker-buildx"));
}

/** Path of docker compose, as a program of its own; fetched at first use. */
export function dockerCompose(): string {
  return (
    process.env.HAVRE_TEST_DOCKER_COMPOSE ?? fetched("docker-compose", "usr/libexec/docker/cli-plugins/docker-compose")
  );
}

/** Path of oras, which pushes and attaches anything to a registry; fetched at first use. */
export function oras(): string {
  return fetched("oras", "usr/bin/oras");
}

/** Path of cosign, which signs what a registry has; fetched at first use. */
export function cosign(): string {
  return fetched("cosign", "usr/bin/cosign");
}

/** A file of a package of Debian's that is unpacked and not installed. */
function fetched(name: string, file: string): string {
  const tools = join(home, "build/test-tools");
  const path = join(tools, name, file);
  if (existsSync(path)) return path;
  mkdirSync(tools, { recursive: true });
  const work = mkdtempSync(join(tools, "fetch-"));
  try {
    for (const folder of ["lists/partial", "debs/partial", "root"]) mkdirSync(join(work, folder), { recursive: true });
    writeFileSync(
      join(work, "sources.list"),
      `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${debianMirror()} ${SUITE} main\n`,
    );
    const apt = (...words: string[]): void => {
      const settings = [
        `Dir::Etc::sourcelist=${work}/sources.list`,
        "Dir::Etc::sourceparts=/dev/null",
        `Dir::State::lists=${work}/lists`,
        `Dir::Cache=${work}`,
        "APT::Sandbox::User=root",
      ].flatMap((setting) => ["-o", setting]);
      execFileSync("apt-get", [...settings, "-qq", ...words], {
        cwd: join(work, "debs"),
        stdio: ["ignore", "ignore", "inherit"],
      });
    };
    apt("update");
    apt("download", name);
    for (const deb of globSync(join(work, "debs/*.deb"))) execFileSync("dpkg", ["-x", deb, join(work, "root")]);
    rmSync(join(tools, name), { recursive: true, force: true });
    renameSync(join(work, "root"), join(tools, name));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return path;
}

/** The mirror this machine's own apt uses. */
export function debianMirror(): string {
  const files = globSync("/etc/apt/{sources.list,sources.list.d/*}");
  const words = files.flatMap((file) => readFileSync(file, "utf8").split(/\s+/));
  const mirror = words.find((word) => /^https?:\/\/.+\/debian\/?$/.test(word));
  if (mirror === undefined)
    throw new Error("No Debian mirror in /etc/apt: set HAVRE_TEST_DOCKER to a docker command line");
  return mirror;
}
