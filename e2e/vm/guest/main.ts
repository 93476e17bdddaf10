/** The checks inside the machine, from the first daemon to what is left after the last container. */
import { equal, match } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { expectNoLeaks, naming, takeSnapshot } from "../../../scripts/test/leaks.ts";
import { checkAppArmor } from "./apparmor.ts";
import { Lab } from "./lab.ts";
import { checkLandlock } from "./landlock.ts";
import { checkLimits } from "./limits.ts";
import { checkNetwork } from "./network.ts";
import { checkProcesses } from "./processes.ts";
import { checkSurvival } from "./survival.ts";
import { checkUsers } from "./users.ts";

/** A folder right below a tree's root. */
const PARENT = /^\/sys\/fs\/cgroup\/([^/]+\/)?havre$/;

const lab = new Lab();
const before = takeSnapshot({ folders: [lab.daemon.run] });
console.log(
  `machine: Linux ${readFileSync("/proc/sys/kernel/osrelease", "utf8").trim()}, cgroup version ${lab.version}`,
);

await lab.check("the daemon starts", () => lab.daemon.start());
await lab.check("doctor: containers can run here", async () => {
  const { code, stdout } = await lab.havre(["doctor"]);
  equal(code, 0, stdout);
  match(stdout, new RegExp(`cgroups: version ${lab.version}`));
});
await lab.check("an image is imported and run", async () => {
  await lab.ok("import", "/payload/bb.tar", "bb");
  equal(await lab.ok("run", "--rm", "bb", "echo", "hello"), "hello");
});
await checkLimits(lab);
await checkProcesses(lab);
await checkNetwork(lab);
if (lab.version === 2) await checkAppArmor(lab);
else await checkLandlock(lab);
await checkUsers(lab);
await checkSurvival(lab);
await lab.check("nothing of a removed container is left", async () => {
  const ids = (await lab.ok("ps", "-aq", "--no-trunc")).split("\n");
  await lab.ok("rm", "-f", ...ids);
  equal(await lab.ok("ps", "-aq"), "");
  await expectNoLeaks(before, { only: naming(...ids), within: 30_000 });
});
await lab.check("nothing of the daemon is left in the kernel", async () => {
  await lab.daemon.end();
  await lab.daemon.removeNetwork();
  // The group that held the containers' groups stays, empty: the next daemon's.
  await expectNoLeaks(before, { only: ({ kind, text }) => kind !== "cgroup" || !PARENT.test(text), within: 30_000 });
});
console.log(`The daemon's log:\n${lab.daemon.log}`);
console.log(`machine: ${lab.done} checks`);
