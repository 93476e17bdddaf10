import { isIP } from "node:net";
import type { Egress } from "../../networks/mod.ts";
import { egressOf, matchesName } from "../../policy/mod.ts";
import type { Container } from "../container.ts";

/**
 * What a container may reach outside its networks; undefined: everything. A name that `--add-host` gives an address is granted
 * by that: no name server is asked for it.
 */
export function egressOfContainer({ spec }: Pick<Container, "spec">): Egress | undefined {
  const { policy, hostConfig } = spec;
  if (!policy) return undefined;
  const words = policy.grants.flatMap(({ grant }) => (grant.name === "egress" ? [grant.value] : []));
  const egress = egressOf(policy.profile, words);
  const named = (hostConfig.ExtraHosts ?? []).flatMap((entry) => {
    const [, name = "", address = ""] = /^([^:=]+)[:=]\[?([^\]]*)\]?$/.exec(entry) ?? [];
    return isIP(address) ? [{ name: name.toLowerCase(), address }] : [];
  });
  if (!egress || named.length === 0) return egress;
  const known = egress.rules.flatMap((rule) =>
    named.flatMap(({ name, address }) => (matchesName(rule.host, name) ? [{ ...rule, host: address }] : [])),
  );
  return { ...egress, rules: [...egress.rules, ...known] };
}
