/**
 * What containers may reach outside their own networks, for those that may not reach everything.
 *
 * Words: limited (a container whose way out is), reach (what it was granted by address), learned (addresses of a granted name,
 * as its name server heard them), refused (what it tried beside that).
 * Owns the nftables table `havre-egress-BRIDGE`. Made when the daemon starts, changed by elements without a process; what was
 * learned and refused stays there over a change of daemons.
 * Invariants: a container is limited before its first process runs; an address that a name was granted with is in force before
 * the answer is handed out; nothing that a name server says opens the host's own addresses or a link-local one.
 */

export { EgressKeeper, type LimitedPlace } from "./keeper.ts";
export { type Egress, type EgressRefusals, type EgressRule, isLimited, matchesName, namedExactly } from "./model.ts";
export { egressTableName, isEgressTable } from "./rules.ts";
