/** What `havre doctor` finds: facts collected from the host, then pure judgements on them. */
import type { Check } from "./check.ts";
import type { DoctorFacts } from "./facts.ts";
import * as host from "./host-checks.ts";
import * as kernel from "./kernel-checks.ts";

export type { Check } from "./check.ts";
export { collectFacts, type DoctorFacts } from "./facts.ts";

/** What this host has and lacks for running containers: every check, those that are well too, in the order to read them. */
export function diagnose(facts: DoctorFacts): readonly Check[] {
  return [
    kernel.rights(facts),
    kernel.kernel(facts),
    kernel.namespaces(facts),
    kernel.overlay(facts),
    kernel.erofs(facts),
    kernel.userNamespaces(facts),
    kernel.userIds(facts),
    kernel.idMappedMounts(facts),
    kernel.seccomp(facts),
    kernel.landlock(facts),
    kernel.securityModule(facts),
    kernel.cgroups(facts),
    host.runtimes(facts),
    ...host.programs(facts),
    host.firewall(facts),
    ...host.firewallTurn(facts),
    host.forwarding(facts),
    host.openFiles(facts),
    host.inotify(facts),
    host.processes(facts),
    ...host.disk(facts),
    host.memory(facts),
  ];
}
