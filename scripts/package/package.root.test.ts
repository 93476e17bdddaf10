/** The packages as their users meet them: on a clean root file system of Debian's, below a folder, and by npx. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { runtimePackages } from "./deb.ts";
import { home, run } from "./tree.ts";

const packages = join(home, "build/packages");
const folder = mkdtempSync(join(tmpdir(), "havre-packages-"));
const clean = join(folder, "clean");
let deb = "";
let archive = "";
let npm = "";

beforeAll(async () => {
  const include = `--include=${runtimePackages().join(",")}`;
  await Promise.all([
    finished(process.execPath, ["scripts/package/package.ts"]),
    finished("mmdebstrap", ["--quiet", "--mode=root", "--variant=apt", include, "bookworm", clean]),
  ]);
  const one = (pattern: string): string => join(packages, globSync(pattern, { cwd: packages })[0] ?? pattern);
  [deb, archive, npm] = [one("*.deb"), one("*.tar.gz"), one("*.tgz")];
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function finished(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { cwd: home, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (data) => {
    said += data;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${command}: ${said}`))));
  });
}

/** Runs a script in the clean root, with a /proc that goes with it. */
function inside(script: string): { status: number | null; output: string } {
  const enter = 'mount -t proc proc "$1/proc" && exec chroot "$1" /bin/sh -c "$2"';
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive", HOME: "/root" };
  const args = ["--mount", "--propagation", "private", "sh", "-c", enter, "sh", clean, script];
  const { status, stdout, stderr } = spawnSync("unshare", args, { encoding: "utf8", env });
  return { status, output: stdout + stderr };
}

const leftovers = "find / -xdev -path /proc -prune -o -iname '*havre*' ! -path '/tmp/*' -print";

test("the Debian package installs on a clean root, runs there, and goes without a trace", () => {
  copyFileSync(deb, join(clean, "tmp/havre.deb"));
  const installed = inside("apt-get install -y --no-install-recommends /tmp/havre.deb");
  expect(installed).toMatchObject({ status: 0 });
  expect(installed.output).toContain("DOCKER_HOST=unix:///run/havre/havre.sock");
  expect(inside("havre --version")).toEqual({ status: 0, output: "Havre version 0.1.0\n" });
  const doctor = inside("havre doctor").output;
  for (const name of ["runtimes", "conmon", "nft", "catatonit"])
    expect(doctor).toMatch(new RegExp(`^ok +${name}:`, "m"));
  const enabled = "readlink -f /etc/systemd/system/multi-user.target.wants/havre.service";
  expect(inside(enabled).output).toBe("/usr/lib/systemd/system/havre.service\n");
  expect(statSync(clean).mode & 0o777).toBe(0o755);
  for (const [path, word] of [
    ["bash-completion/completions/havre", "__complete"],
    ["zsh/vendor-completions/_havre", "#compdef havre"],
    ["fish/vendor_completions.d/havre.fish", "__complete"],
    ["doc/havre/copyright", "License: Apache-2.0"],
  ] as const)
    expect(readFileSync(join(clean, "usr/share", path), "utf8")).toContain(word);
  const page = gunzipSync(readFileSync(join(clean, "usr/share/man/man1/havre-network-create.1.gz"))).toString();
  expect(page).toContain(".SH NAME\nhavre\\-network\\-create \\- ");

  // Again over itself: an upgrade.
  expect(inside("dpkg -i /tmp/havre.deb")).toMatchObject({ status: 0 });
  mkdirSync(join(clean, "var/lib/havre/volumes"), { recursive: true });
  expect(inside("dpkg -r havre")).toMatchObject({ status: 0 });
  const purged = inside("dpkg -P havre");
  expect(purged).toMatchObject({ status: 0 });
  expect(purged.output).toContain("/var/lib/havre stays");
  expect(inside(leftovers).output).toBe("/var/lib/havre\n");
});

test("the unit keeps containers and socket folder", () => {
  const unit = readFileSync(join(home, "scripts/package/files/havre.service"), "utf8");
  for (const line of ["Restart=always", "KillMode=process", "Delegate=yes", "RuntimeDirectoryPreserve=yes"])
    expect(unit).toContain(`\n${line}\n`);
  // Each of these would give the daemon a mount namespace, or hand a filter down to every container.
  expect(unit).not.toMatch(
    /^(Private|Protect|ReadOnly|ReadWrite|Inaccessible|SystemCall|Restrict|NoNew|Capability)\w*=/m,
  );
});

test("the archive installs below a folder and is taken away again", () => {
  run("tar", ["-xzf", archive, "-C", folder]);
  const script = join(folder, globSync("havre-*-linux-*", { cwd: folder })[0] ?? "", "install.sh");
  const env = { DESTDIR: join(folder, "other") };
  run(script, ["--prefix", "/opt/havre"], { env });
  expect(run(join(folder, "other/opt/havre/bin/havre"), ["--version"])).toBe("Havre version 0.1.0\n");
  const unit = readFileSync(join(folder, "other/etc/systemd/system/havre.service"), "utf8");
  expect(unit).toContain("ExecStart=/opt/havre/bin/havre daemon");
  run(script, ["--prefix", "/opt/havre", "--remove"], { env });
  expect(
    globSync("**", { cwd: join(folder, "other") }).filter((path) => statSync(join(folder, "other", path)).isFile()),
  ).toEqual([]);
});

test("npx runs the package that npm pack made", () => {
  const elsewhere = join(folder, "elsewhere");
  mkdirSync(elsewhere);
  const env = { npm_config_cache: join(folder, "npm-cache"), npm_config_update_notifier: "false" };
  expect(run("npx", ["--yes", `--package=${npm}`, "havre", "--version"], { cwd: elsewhere, env })).toBe(
    "Havre version 0.1.0\n",
  );
  expect(existsSync(join(elsewhere, "node_modules"))).toBe(false);
});
