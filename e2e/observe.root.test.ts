/** Containers that are watched: what the kernel tells of them. */
import { expect, test } from "bun:test";
import { useEngine } from "./harness/engine.ts";

const engine = useEngine();

interface Refused {
  readonly process: string;
  readonly target: string;
  readonly remedy: string;
  readonly seen: string;
}

test("what a watched container was refused is told by the kernel, though it says nothing itself", async () => {
  const script =
    "mkdir /srv/a; chown 5 /tmp; nc -l -p 80; mount -t tmpfs a /mnt; chown 70000 /run; chroot / true; exit 4";
  const run = ["run", "--observe", "--profile", "hardened", "--name", "e2e-silent", "--log-driver", "none"];
  const { code } = await engine.havre([...run, "bb", "sh", "-c", `exec 2>/dev/null; mkdir /srv; ${script}`]);
  expect(code).toBe(4);
  const why = JSON.parse((await engine.havre(["why", "--json", "e2e-silent"])).stdout);
  expect(why.observed).toBe(true);
  const told = why.refusals.map(({ process, target, remedy }: Refused) => [process, target, remedy.split(", or ")[0]]);
  expect(told).toEqual(
    expect.arrayContaining([
      ["mkdir", "/srv", "--grant write:/srv"],
      ["chown", "/tmp 5:0 (CAP_CHOWN)", "--grant cap:chown"],
      ["nc", "port 80", "--grant net-bind"],
      ["mount", undefined, "--grant cap:sys_admin"],
      ["chroot", undefined, "--grant cap:sys_chroot"],
      ["chown", "/run 70000:0", "Use an id below 65536; where it must be the host's: --userns host --grant host-users"],
    ]),
  );
  const text = (await engine.havre(["why", "e2e-silent"])).stdout;
  expect(text).toContain("the kernel mkdir failed with EROFS");
  await engine.ok(["rm", "e2e-silent"]);
});

test("what it does is the same, and who is not watched is not slowed or told of", async () => {
  const plain = await engine.havre([
    "run",
    "--rm",
    "--observe",
    "bb",
    "sh",
    "-c",
    "id -u; touch /tmp/x && ls /tmp/x; exit 7",
  ]);
  expect([plain.code, plain.stdout]).toEqual([7, "0\n/tmp/x\n"]);
  await engine.ok(["run", "--name", "e2e-unwatched", "bb", "true"]);
  const refused = await engine.havre(["grants", "--drift", "e2e-unwatched"]);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("--observe")]);
  await engine.ok(["rm", "e2e-unwatched"]);
});

const SERVICE = `
mkdir -p /data/app && chown 5 /data/app && touch /run/x || exit 3
touch /data/ready
nc -ll -p 80 -e true`;
const NEEDED = ["cap:chown", "net-bind", "write:/data"];

test("harden learns the least set of grants with its evidence, and the locked copy passes; without one of them why names it", async () => {
  const health = ["--health-cmd", "test -f /data/ready", "--health-interval", "200ms"];
  await engine.ok(["create", "--name", "e2e-learn", "--stop-timeout", "1", ...health, "bb", "sh", "-c", SERVICE]);
  const harden = ["harden", "--json", "--test", "nc -w 1 127.0.0.1 80", "--for", "20s", "e2e-learn"];
  const learned = await engine.havre(harden);
  const report = JSON.parse(learned.stdout);
  expect([report.observed.passed, report.locked.passed, learned.code]).toEqual([true, true, 0]);
  const needs: { grant: string; evidence: object[] }[] = report.needs;
  expect(needs.map(({ grant }) => grant)).toEqual(NEEDED);
  expect(needs[0]?.evidence).toEqual([{ process: "chown", call: "chown", target: "/data/app 5:0", count: 1 }]);
  const names = report.seccomp.syscalls.flatMap((rule: { names: string[] }) => rule.names);
  expect(names).toContain("bind");
  expect(names).not.toContain("ptrace");
  for (const missing of NEEDED) {
    const grants = NEEDED.filter((grant) => grant !== missing).flatMap((grant) => ["--grant", grant]);
    const run = [
      "run",
      "-d",
      "--name",
      "e2e-lacks",
      "--stop-timeout",
      "1",
      "--profile",
      "hardened",
      ...grants,
      "bb",
      "sh",
      "-c",
      SERVICE,
    ];
    expect((await engine.havre(run)).code).toBe(0);
    const why = await engine.havre(["why", "--retry", "--for", "3s", "e2e-lacks"]);
    expect(why.stdout).toContain(`--grant ${missing}`);
    await engine.ok(["rm", "-f", "e2e-lacks"]);
  }
  await engine.ok(["rm", "e2e-learn"]);
  expect(await engine.ok(["ps", "-aq", "--filter", "name=watched"])).toBe("");
});

test("drift tells what of its grants a watched container used, which never, and what it used beyond", async () => {
  const granted = ["--grant", "write:/data", "--grant", "cap:kill", "--cap-add", "CHOWN"];
  const run = ["run", "--observe", "--profile", "hardened", "--name", "e2e-drift", ...granted];
  expect((await engine.havre([...run, "bb", "sh", "-c", "touch /data/a && chown 5 /data/a"])).code).toBe(0);
  const drift = JSON.parse((await engine.havre(["grants", "--drift", "--json", "e2e-drift"])).stdout);
  const used = drift.granted.map(({ grant, evidence }: { grant: string; evidence: object[] }) => [
    grant,
    evidence.length > 0,
  ]);
  expect(used).toEqual([
    ["write:/data", true],
    ["cap:kill", false],
    ["cap:chown", true],
  ]);
  const text = (await engine.havre(["grants", "e2e-drift"])).stdout;
  expect(text).toMatch(/cap:kill +.*never/);
  await engine.ok(["rm", "-v", "e2e-drift"]);
});
