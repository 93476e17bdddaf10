import { equal, match } from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import type { Lab } from "./lab.ts";

/** The machine has no useradd: what an operator would write by hand. */
const SUB_IDS = "havre:1879048192:268304384\n";

/** Ids of a container's own where overlayfs takes mounted trees only, and cgroups are version 2's. */
export async function checkUsers(lab: Lab): Promise<void> {
  await lab.check("a container has ids of its own, its image and volumes keep their owners", async () => {
    for (const file of ["/etc/subuid", "/etc/subgid"]) writeFileSync(file, SUB_IDS);
    const script = "id -u; touch /new /data/new; chown 5:6 /data/new; ls -ln /bin/busybox /new /data/new; sleep 1000";
    const flags = ["--name", "mapped", "--userns=auto", "-v", "mapped:/data", "-m", "64m"];
    equal((await lab.havre(["run", "-d", ...flags, "bb", "sh", "-c", script])).code, 0);
    const pid = await lab.pid("mapped");
    equal(statSync(`/proc/${pid}`).uid >= 1879048192, true);
    equal(await lab.ok("exec", "mapped", "id", "-u"), "0");
    match(await lab.ok("exec", "mapped", "ls", "-ln", "/bin/busybox"), / 0 +0 /);
    match(await lab.ok("exec", "mapped", "ls", "-ln", "/data/new"), / 5 +6 /);
    const folder = await lab.ok("volume", "inspect", "-f", "{{.Mountpoint}}", "mapped");
    equal(statSync(`${folder}/new`).uid, 5);
    await lab.ok("restart", "-t", "0", "mapped");
    match(await lab.ok("exec", "mapped", "ls", "-ln", "/new"), / 0 +0 /);
    match(await lab.ok("logs", "mapped"), /^0\n/);
    match(await lab.ok("stats", "--no-stream", "mapped"), /64MiB/);
    await lab.ok("rm", "-f", "mapped");
    await lab.ok("volume", "rm", "mapped");
  });
}
