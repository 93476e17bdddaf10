/** Profiles and grants, seen from inside the container. */
import { describe, expect, test } from "bun:test";
import { useEngine } from "./harness/engine.ts";

const engine = useEngine();

const run = (flags: readonly string[], script: string) =>
  engine.havre(["run", "--rm", ...flags, "bb", "sh", "-c", `exec 2>&1; ${script}`]);
const HARDENED = ["--profile", "hardened"];

test("hardened denies what nobody asked for", async () => {
  const script = [
    "touch /x && echo wrote",
    "touch /tmp/a /run/b && echo scratch",
    "awk '/^Cap(Eff|Bnd)|^NoNew/ {print $2}' /proc/self/status",
    "awk '{print ($2 > 65535)}' /proc/self/uid_map",
    "timeout 1 nc -l -p 80 || echo no port",
    "mount -t tmpfs none /mnt || echo no mount",
  ].join("; ");
  const { code, stdout } = await run(HARDENED, script);
  expect(code).toBe(0);
  expect(stdout.split("\n").filter((line) => !/^(touch|nc|mount):/.test(line))).toEqual([
    ...["scratch", "0000000000000000", "0000000000000000", "1", "1", "no port", "no mount", ""],
  ]);
  expect(stdout).toContain("touch: /x: Read-only file system");
});

test("a grant opens what it says, for labels of docker's clients too, and is told by havre grants", async () => {
  const open = await run(
    [...HARDENED, "--grant", "write:/var", "--grant", "cap:chown"],
    "touch /var/x && chown 5 /var/x && ls -n /var",
  );
  expect(open.stdout).toMatch(/ 5 +0 .* x$/m);
  const labels = ["--label", "havre.profile=hardened", "--label", "havre.grants=net-bind"];
  await engine.ok(["run", "-d", "--name", "e2e-granted", ...labels, "--cap-add", "KILL", "bb", "nc", "-l", "-p", "80"]);
  const told = JSON.parse((await engine.havre(["grants", "--json", "e2e-granted"])).stdout);
  expect(told.profile).toBe("hardened");
  expect(told.grants.map(({ grant, by }: { grant: string; by: string }) => [grant, by])).toEqual([
    ["net-bind", "grant"],
    ["cap:kill", "--cap-add"],
  ]);
  const refused = await engine.docker(["exec", "--privileged", "e2e-granted", "true"]);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("--grant privileged")]);
});

test("a flag that opens the host is refused with what it opens and the word that grants it", async () => {
  const refused = await engine.havre(["run", ...HARDENED, "--network", "host", "bb", "true"]);
  expect(refused.code).toBe(125);
  expect(refused.stderr).toContain("--network host is denied by the hardened profile");
  expect(refused.stderr).toContain(
    "--grant host-net, x-havre: { grants: [host-net] } in the Compose file, or the label havre.grants=host-net",
  );
  const granted = await run([...HARDENED, "--network", "host", "--grant", "host-net"], "ls /sys/class/net");
  expect(granted.stdout.split("\n")).toContain("lo");
  const wrong = await engine.havre(["run", ...HARDENED, "--grant", "net-bnid", "bb", "true"]);
  expect(wrong.stderr).toContain("Did you mean net-bind?");
});

test("open is said loudly; an image's labels grant nothing", async () => {
  const open = await run(["--profile", "open"], "grep CapEff /proc/self/status");
  expect(open.stderr).toContain("open profile");
  await engine.ok([
    "create",
    "--name",
    "e2e-sly",
    "--label",
    "havre.profile=open",
    "--label",
    "havre.grants=privileged",
    "bb",
    "true",
  ]);
  await engine.ok(["commit", "e2e-sly", "e2e-sly"]);
  const sly = await engine.havre(["run", "--rm", ...HARDENED, "e2e-sly", "grep", "CapEff", "/proc/self/status"]);
  expect(sly.stdout).toContain("0000000000000000");
  expect((await engine.havre(["run", ...HARDENED, "--privileged", "e2e-sly", "true"])).code).toBe(125);
  await engine.ok(["rm", "e2e-sly"]);
  await engine.ok(["rmi", "e2e-sly"]);
});

describe("an operator's floor", () => {
  const strict = useEngine({
    flags: ["--profile", "hardened", "--forbid-grant", "host-net", "--forbid-grant", "egress:10.0.0.0/8"],
  });

  test("holds for docker's clients, and what is forbidden for everybody", async () => {
    const usual = await strict.docker([
      "run",
      "--rm",
      "bb",
      "sh",
      "-c",
      "touch /x 2>&1; grep CapEff /proc/self/status",
    ]);
    expect(usual.stdout).toContain("Read-only file system");
    expect(usual.stdout).toContain("0000000000000000");
    const below = await strict.docker(["run", "--rm", "--label", "havre.profile=docker", "bb", "true"]);
    expect(below.stderr).toContain("below what this engine allows, hardened");
    const asked = ["--net", "host", "--label", "havre.grants=host-net"];
    const forbidden = await strict.docker(["run", "--rm", ...asked, "bb", "true"]);
    expect(forbidden.stderr).toContain("host-net is forbidden on this engine");
    for (const [word, code] of [
      ["egress:10.1.2.3:80", 125],
      ["egress:any", 125],
      ["egress:example.org", 0],
    ] as const) {
      const outbound = await strict.docker(["run", "--rm", "--label", `havre.grants=${word}`, "bb", "true"]);
      expect([word, outbound.code]).toEqual([word, code]);
    }
  });
});

test("havre why tells what was denied, and its remedy mends it", async () => {
  const script = "echo x > /etc/x && echo written";
  await engine.havre(["run", "--name", "e2e-why", ...HARDENED, "bb", "sh", "-c", script]);
  const { refusals } = JSON.parse((await engine.havre(["why", "--json", "e2e-why"])).stdout);
  expect(refusals.map(({ target }: { target: string }) => target)).toContain("/etc/x");
  const { grant } = refusals.find(({ target }: { target: string }) => target === "/etc/x");
  expect(grant).toBe("--grant write:/etc");
  const mended = await run([...HARDENED, ...grant.split(" ")], script);
  expect(mended.stdout).toBe("written\n");
  const shown = (await engine.havre(["why", "e2e-why"])).stdout;
  expect(shown).toContain("denied by  root file system: read-only");
  await engine.havre([
    "run",
    "--name",
    "e2e-oom",
    ...HARDENED,
    "-m",
    "16m",
    "--memory-swap",
    "16m",
    "bb",
    "tail",
    "/dev/zero",
  ]);
  expect((await engine.havre(["why", "e2e-oom"])).stdout).toContain("its memory is limited");
  expect((await engine.havre(["why", "e2e-none"])).stderr).toContain("No such container");
});
