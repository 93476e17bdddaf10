import { equal, match, notEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Lab } from "./lab.ts";

const PROFILE = "/proc/self/attr/current";

export async function checkAppArmor(lab: Lab): Promise<void> {
  const check = lab.check.bind(lab);
  const confined = (...flags: string[]) => lab.ok("run", "--rm", "--net", "none", ...flags, "bb", "cat", PROFILE);

  await check(
    "AppArmor: a container and its execs run under the default profile, which the daemon has loaded",
    async () => {
      equal(await confined(), "havre-default (enforce)");
      await lab.ok("run", "-d", "--name", "guarded", "--net", "none", "bb", "sleep", "1000");
      equal(await lab.ok("exec", "guarded", "cat", PROFILE), "havre-default (enforce)");
      equal(await lab.inspect("guarded", "{{.AppArmorProfile}}"), "havre-default");
      await lab.ok("stop", "-t", "60", "--signal", "KILL", "guarded");
      await lab.ok("rm", "guarded");
      match(await lab.ok("info", "--format", "{{.SecurityOptions}}"), /name=apparmor/);
    },
  );
  await check("AppArmor: unconfined when asked or privileged, refused when the profile is not there", async () => {
    equal(await confined("--security-opt", "apparmor=unconfined"), "unconfined");
    equal(await confined("--privileged"), "unconfined");
    equal(await confined("--privileged", "--security-opt", "apparmor=docker-default"), "havre-default (enforce)");
    const { code, stderr } = await lab.havre(["run", "--rm", "--security-opt", "apparmor=nowhere", "bb", "true"]);
    notEqual(code, 0, stderr);
    match(stderr, /apparmor|nowhere/i);
  });
  await check("AppArmor: a container with every capability cannot mount or change the kernel's settings", async () => {
    const script = "mount -t tmpfs none /tmp; echo 1 >/proc/sys/kernel/printk; echo h >/proc/sysrq-trigger; true";
    const flags = [
      "--cap-add",
      "ALL",
      "--security-opt",
      "seccomp=unconfined",
      "--security-opt",
      "systempaths=unconfined",
    ];
    const { stdout, stderr } = await lab.havre(["run", "--rm", ...flags, "bb", "sh", "-c", script]);
    equal(stdout, "");
    equal(stderr.match(/denied/gi)?.length, 3, stderr);
  });
  await check("AppArmor: a hardened container has a profile made of its grants, as long as it runs", async () => {
    const loaded = () => readFileSync("/sys/kernel/security/apparmor/profiles", "utf8").includes("havre-hardened-");
    const hardened = ["run", "--profile", "hardened", "--net", "none", "--grant", "cap:sys_admin"];
    await lab.ok(...hardened, "-d", "--name", "walled", "bb", "sleep", "1000");
    match(await lab.ok("exec", "walled", "cat", PROFILE), /^havre-hardened-[0-9a-f]{12} \(enforce\)$/);
    match(await lab.inspect("walled", "{{.AppArmorProfile}}"), /^havre-hardened-/);
    const script =
      "touch /tmp/a && echo tmp; echo >/dev/null && echo null; cp /bin/sh /dev/sh; mount -t tmpfs none /tmp";
    const { stdout, stderr } = await lab.havre(["exec", "walled", "sh", "-c", script]);
    equal(stdout.trim(), "tmp\nnull");
    equal(stderr.match(/denied/gi)?.length, 2, stderr);
    equal(loaded(), true);
    await lab.ok("rm", "-f", "walled");
    equal(loaded(), false);
  });
}
