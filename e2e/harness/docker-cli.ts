/**
 * The docker command line that drives the tests: Debian's own package, downloaded with apt into `build/test-tools` and
 * unpacked there, not installed. HAVRE_TEST_DOCKER names another one to use.
 */
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const home = resolve(import.meta.dirname, "../..");
/** The first of Debian's releases that packages the command line by itself. */
const SUITE = "trixie";

/** Path of a docker command line; fetched at first use. */
export function dockerCli(): string {
  const chosen = process.env.HAVRE_TEST_DOCKER;
  if (chosen !== undefined) return chosen;
  const tools = join(home, "build/test-tools");
  const docker = join(tools, "docker-cli/usr/bin/docker");
  if (existsSync(docker)) return docker;
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
    apt("download", "docker-cli");
    for (const deb of globSync(join(work, "debs/*.deb"))) execFileSync("dpkg", ["-x", deb, join(work, "root")]);
    rmSync(join(tools, "docker-cli"), { recursive: true, force: true });
    renameSync(join(work, "root"), join(tools, "docker-cli"));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return docker;
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
