/** The packages as their users meet them: on a clean root file system of Debian's, under a real systemd, below a folder, and by npx. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { until, useEngine } from "../../e2e/harness/mod.ts";
import { runtimePackages } from "./deb.ts";
import { home, run } from "./tree.ts";

const engine = useEngine();
const packages = join(home, "build/packages");
/** Of a day of our choice: a commit made while the tests run is none of their business. */
process.env.SOURCE_DATE_EPOCH = "1800000000";
const folder = mkdtempSync(join(tmpdir(), "havre-packages-"));
const clean = join(folder, "clean");
let deb = "";
let archive = "";
let npm = "";

beforeAll(async () => {
  const include = `--include=${[...runtimePackages(), "systemd-sysv", "dbus", "busybox-static"].join(",")}`;
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

/** The notices are of that version: a newer one may contain other works. */
function lockedBun(): string {
  return (JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as { dependencies: { bun: string } })
    .dependencies.bun;
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
    ["doc/havre/copyright", `Bun ${lockedBun()}, the runtime`],
    ["doc/havre/copyright", "JavaScriptCore"],
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

test("the same sources make the same packages, byte for byte", async () => {
  const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
  const before = [deb, archive, npm].map(digest);
  await finished(process.execPath, ["scripts/package/package.ts"]);
  expect([deb, archive, npm].map(digest)).toEqual(before);
}, 300_000);

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

/** A whole host: the clean root's own systemd as first process of a privileged container. */
async function bootMachine(): Promise<void> {
  const tar = join(folder, "machine.tar");
  run("tar", ["-C", clean, "-cf", tar, "--exclude=./var/cache", "--exclude=./var/lib/apt", "."]);
  const asHost = ["-c", 'CMD ["/sbin/init"]', "-c", "STOPSIGNAL SIGRTMIN+3"];
  await engine.ok(["import", ...asHost, tar, "host"], { timeout: 120_000 });
  rmSync(tar);
  const folders = ["--tmpfs", "/run", "--tmpfs", "/run/lock", "-v", "/var/lib/havre"];
  await engine.ok(["run", "-d", "--name", "machine", "--privileged", ...folders, "-e", "container=docker", "host"]);
  await booted();
  await engine.ok(["cp", deb, "machine:/opt/havre.deb"]);
}

/** Runs a script in the machine; its standard output. */
async function onMachine(script: string): Promise<string> {
  const { code, stdout, stderr } = await engine.docker(["exec", "machine", "sh", "-c", script], { timeout: 90_000 });
  if (code !== 0) throw new Error(`${script} exited with ${code}: ${stdout}${stderr}`);
  return stdout.trim();
}

function booted(): Promise<unknown> {
  return until(
    "systemd is up",
    async () =>
      BOOTED.includes((await engine.docker(["exec", "machine", "systemctl", "is-system-running"])).stdout.trim()),
    { within: 60_000, interval: 200 },
  );
}

const BOOTED = ["running", "degraded"];
const answers = () =>
  until(
    "the daemon answers",
    async () => (await engine.docker(["exec", "machine", "test", "-S", "/run/havre/havre.sock"])).code === 0,
  );
const mainPid = () => onMachine("systemctl show -p MainPID --value havre");
/** Names of the containers with their first process and when it was started. */
const running = () =>
  onMachine("havre ps -q --no-trunc | xargs havre inspect -f '{{.Name}} {{.State.Pid}} {{.State.StartedAt}}' | sort");
const served = () => onMachine("busybox wget -q -O - http://127.0.0.1:8080/served");

test("containers outlive the unit's daemon, its stop and an upgrade; a reboot follows their policies", async () => {
  await bootMachine();
  const installed = await onMachine("dpkg -i /opt/havre.deb 2>&1");
  expect(installed).toContain("DOCKER_HOST=unix:///run/havre/havre.sock");
  expect(await onMachine("systemctl is-active havre; systemctl is-enabled havre")).toBe("active\nenabled");
  await answers();
  await onMachine(
    "mkdir -p /tmp/bb/bin && cp $(command -v busybox) /tmp/bb/bin && /tmp/bb/bin/busybox --install /tmp/bb/bin && tar -C /tmp/bb -c . | havre import - bb",
  );
  // Docker's profile and capabilities, not what a hardened unit would hand down.
  expect(await onMachine("havre run --rm --profile docker bb grep -E 'CapEff|NoNewPrivs' /proc/self/status")).toMatch(
    /CapEff:\s+00000000a80425fb\nNoNewPrivs:\s+0/,
  );
  const serve = "mkdir -p /tmp/www; echo here >/tmp/www/served; exec httpd -f -h /tmp/www";
  await onMachine(`havre run -d --name keep --restart always --stop-timeout 1 -p 8080:80 bb sh -c '${serve}'`);
  await onMachine("havre run -d --name plain --stop-timeout 1 bb sleep 10000");
  const tidy =
    "trap 'echo asked >/end; exit 0' USR1; trap 'echo killed >/end; exit 1' TERM; while :; do sleep 0.1; done";
  await onMachine(
    `havre run -d --name db --profile docker --restart unless-stopped --stop-signal USR1 bb sh -c "${tidy}"`,
  );
  await onMachine(
    "havre run -d --name halted --restart unless-stopped --stop-timeout 0 bb sleep 10000 && havre stop halted",
  );
  const before = await running();
  expect(before.split("\n").length).toBe(3);

  const first = await mainPid();
  await onMachine(`kill -9 ${first}`);
  await until("systemd has started another", async () => ![first, "0"].includes(await mainPid()));
  expect(await served()).toBe("here");
  await until("it answers", async () => (await running().catch(() => "")) === before);

  await onMachine("systemctl stop havre");
  expect(await served()).toBe("here");
  expect(await onMachine("test -e /run/havre/havre.sock || pgrep -c conmon")).toBe("3");
  // A command does not start a daemon beside the unit but the unit.
  const asked = await engine.docker(["exec", "machine", "havre", "ps", "-q"]);
  expect(asked.stderr).toContain("No daemon answers: starting havre.service");
  expect(asked.stdout.trim().split("\n").length).toBe(3);
  expect(await onMachine("systemctl is-active havre")).toBe("active");

  await onMachine("dpkg -i /opt/havre.deb");
  await answers();
  expect(await running()).toBe(before);
  expect(await served()).toBe("here");

  await engine.ok(["restart", "-t", "60", "machine"], { timeout: 90_000 });
  await booted();
  await answers();
  expect(await onMachine("havre ps --format '{{.Names}}' | sort")).toBe("db\nkeep");
  expect(await onMachine("havre exec db cat /end")).toBe("asked");
  expect(await onMachine("havre ps -a --filter status=exited --format '{{.Names}}' | sort")).toBe("halted\nplain");
  await until("the port is served again", async () => (await served().catch(() => "")) === "here");
  expect(await onMachine("systemctl show -p NRestarts --value havre")).toBe("0");

  await onMachine("dpkg -P havre 2>&1");
  expect(await onMachine("pgrep -c conmon")).toBe("2");
}, 180_000);
