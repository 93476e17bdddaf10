import { describe, expect, test } from "bun:test";
import { judge, type Probe } from "./chains.ts";
import { iptablesFirewall } from "./iptables.ts";
import { nftablesFirewalls } from "./nftables.ts";

const probe: Probe = { family: "ip", protocol: "tcp", interfaceName: "eth0", address: "192.0.2.1", port: 8080 };
const allowed = { kind: "allowed", sources: [] } as const;
const denied = { kind: "denied", sources: [] } as const;

describe("iptables", () => {
  const UFW = `-P INPUT DROP
-P FORWARD DROP
-P OUTPUT ACCEPT
-N ufw-before-input
-N ufw-not-local
-N ufw-user-input
-A INPUT -j ufw-before-input
-A INPUT -j ufw-user-input
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
-A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A ufw-before-input -j ufw-not-local
-A ufw-before-input -d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT
-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
-A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
-A ufw-not-local -j DROP
-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT
-A ufw-user-input -p tcp -m multiport --dports 80,443,9000:9010 -m comment --comment "'web'" -j ACCEPT
-A ufw-user-input -s 10.0.0.0/8 -p udp -m udp --dport 53 -j ACCEPT
-A ufw-user-input ! -i eth1 -p tcp -m tcp --dport 7000 -j REJECT --reject-with icmp-port-unreachable`.split("\n");
  const verdict = (change: Partial<Probe>) => judge([iptablesFirewall("ip", UFW)], { ...probe, ...change });

  test("ufw's chains", () => {
    expect(verdict({ port: 8080 })).toEqual(denied);
    expect(verdict({ port: 22 })).toEqual(allowed);
    expect(verdict({ port: 443 })).toEqual(allowed);
    expect(verdict({ port: 9005 })).toEqual(allowed);
    expect(verdict({ port: 22, protocol: "udp" })).toEqual(denied);
    expect(verdict({ port: 8080, interfaceName: "lo" })).toEqual(allowed);
    expect(verdict({ port: 7000 })).toEqual(denied);
  });

  test("a rule for some sources lets some in", () => {
    // The match on the source is an option that says who, not whether.
    expect(verdict({ port: 53, protocol: "udp" })).toEqual({ kind: "depends", sources: ["10.0.0.0/8"] });
  });

  test("says nothing of the other family", () => {
    for (const lines of [["-P INPUT ACCEPT", "-A INPUT -j DROP"], ["-P INPUT DROP"]])
      expect(judge([iptablesFirewall("ip", lines)], { ...probe, family: "ip6" })).toEqual(allowed);
  });

  test("what is not known may match", () => {
    const lines = ["-P INPUT DROP", "-A INPUT -m recent --rcheck -j ACCEPT"];
    expect(judge([iptablesFirewall("ip", lines)], probe).kind).toBe("depends");
  });
});

describe("nftables", () => {
  const firewall = (...rules: object[]) =>
    nftablesFirewalls(
      {
        nftables: [
          {
            chain: {
              family: "inet",
              table: "t",
              name: "input",
              type: "filter",
              hook: "input",
              prio: 0,
              policy: "drop",
            },
          },
          { chain: { family: "inet", table: "t", name: "web" } },
          { set: { family: "inet", table: "t", name: "ports", elem: [80, { range: [8000, 8100] }] } },
          ...rules,
        ],
      },
      () => false,
    );
  const rule = (...expr: object[]) => ({ rule: { family: "inet", table: "t", chain: "input", expr } });
  const match = (left: object, right: unknown, op = "==") => ({ match: { op, left, right } });
  const dport = { payload: { protocol: "tcp", field: "dport" } };
  const source = { payload: { protocol: "ip", field: "saddr" } };
  const accept = { accept: null };

  test.each([
    ["a number", match(dport, 8080), allowed],
    ["another number", match(dport, 22), denied],
    ["a set", match(dport, { set: [22, 8080] }), allowed],
    ["a named set with a range", match(dport, "@ports"), allowed],
    ["a negation", match(dport, { set: [8080] }, "!="), denied],
    ["an interface", match({ meta: { key: "iifname" } }, "eth*"), allowed],
    ["the state", match({ ct: { key: "state" } }, ["established", "related"], "in"), denied],
    ["a new state", match({ ct: { key: "state" } }, { set: ["established", "new"] }, "in"), allowed],
    [
      "a network",
      match({ payload: { protocol: "ip", field: "daddr" } }, { prefix: { addr: "192.0.2.0", len: 24 } }),
      allowed,
    ],
    ["a protocol", match({ meta: { key: "l4proto" } }, { set: ["icmp", "ipv6-icmp"] }), denied],
  ])("%s", (_, condition, expected) => {
    expect(judge(firewall(rule(condition, accept)), probe)).toEqual(expected);
  });

  test("some sources", () => {
    const rules = [rule(match(source, { prefix: { addr: "10.0.0.0", len: 8 } }), accept)];
    expect(judge(firewall(...rules), probe)).toEqual({ kind: "depends", sources: ["10.0.0.0/8"] });
  });

  test("verdict maps and jumps", () => {
    const map = {
      vmap: {
        key: { ct: { key: "state" } },
        data: {
          set: [
            ["established", accept],
            ["new", { jump: { target: "web" } }],
          ],
        },
      },
    };
    const web = { rule: { family: "inet", table: "t", chain: "web", expr: [match(dport, 8080), accept] } };
    expect(judge(firewall(rule(map), web), probe)).toEqual(allowed);
    expect(judge(firewall(rule(map), web), { ...probe, port: 22 })).toEqual(denied);
  });

  test("all tables must agree", () => {
    const open = nftablesFirewalls(
      {
        nftables: [{ chain: { family: "ip", table: "o", name: "i", type: "filter", hook: "input", policy: "accept" } }],
      },
      () => false,
    );
    expect(judge([...open, ...firewall()], probe)).toEqual(denied);
    expect(judge(open, probe)).toEqual(allowed);
  });

  test("a statement that is not known may not be reached", () => {
    expect(judge(firewall(rule({ queue: { num: 0 } }), rule(accept)), probe).kind).toBe("allowed");
    expect(judge(firewall(rule({ limit: { rate: 1 } }, accept)), probe).kind).toBe("depends");
  });
});
