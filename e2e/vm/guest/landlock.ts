import { equal, match } from "node:assert/strict";
import type { Lab } from "./lab.ts";

/** Landlock as Debian 12's kernel has it (version 2), where no other security module is switched on. */
export async function checkLandlock(lab: Lab): Promise<void> {
  await lab.check("Landlock: a hardened container and its execs are confined as far as this kernel can", async () => {
    const hardened = ["--profile", "hardened", "--net", "none", "--grant", "cap:sys_admin"];
    await lab.ok("run", "-d", "--name", "ruled", ...hardened, "bb", "sleep", "1000");
    const script =
      "touch /tmp/a && mkdir /tmp/d && mv /tmp/a /tmp/d/ && echo moved; cp /bin/sh /dev/sh; mount -t tmpfs none /tmp; echo 0 >/proc/self/oom_score_adj; true";
    const { stdout, stderr } = await lab.havre(["exec", "ruled", "sh", "-c", script]);
    equal(stdout, "moved\n");
    equal(stderr.match(/denied/gi)?.length, 3, stderr);
    equal((await lab.ok("exec", "ruled", "cat", "/proc/1/cmdline")).replaceAll("\0", " "), "sleep 1000 ");
    const told = await lab.ok("grants", "ruled");
    match(told, /Writes only below \/tmp/);
    match(told, /This kernel cannot limit TCP ports/);
    await lab.ok("rm", "-f", "ruled");
  });
  await lab.check("Landlock: a missing command is told as without it", async () => {
    const { code, stderr } = await lab.havre([
      "run",
      "--rm",
      "--profile",
      "hardened",
      "--net",
      "none",
      "bb",
      "nowhere",
    ]);
    equal(code, 127, stderr);
    match(stderr, /exec: "nowhere": executable file not found in \$PATH/);
  });
}
