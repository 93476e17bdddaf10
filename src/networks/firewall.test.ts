import { expect, test } from "bun:test";
import { iptablesMatters, passIptables, type Rules, unpassIptables } from "./firewall.ts";

const UNUSED = ["-P INPUT ACCEPT", "-P FORWARD ACCEPT", "-P OUTPUT ACCEPT"];
const RULES: Rules = {
  owner: "havre0",
  members: { elements: () => [], replay: () => {} },
  bridges: [
    {
      bridge: "havre0",
      subnets: [],
      internal: false,
      icc: true,
      masquerade: true,
      hostAccess: false,
      linkLocalAccess: false,
    },
  ],
};
const UFW = [
  "-P INPUT DROP",
  "-P FORWARD DROP",
  "-P OUTPUT ACCEPT",
  "-N ufw-before-forward",
  "-A FORWARD -j ufw-before-forward",
];
const DOCKER = [
  "-P INPUT ACCEPT",
  "-P FORWARD DROP",
  "-P OUTPUT ACCEPT",
  "-N DOCKER-ISOLATION-STAGE-1",
  "-N DOCKER-USER",
  "-A FORWARD -j DOCKER-USER",
  "-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2",
  "-A DOCKER-ISOLATION-STAGE-1 -i br-1 ! -o br-1 -j DOCKER-ISOLATION-STAGE-2",
  "-A DOCKER-ISOLATION-STAGE-1 -j RETURN",
  "-A DOCKER-USER -j RETURN",
];

test("a host that does not rule by iptables is left alone", () => {
  expect(iptablesMatters(UNUSED, false)).toBe(false);
  expect(iptablesMatters(UNUSED, true)).toBe(true);
  expect(iptablesMatters(UFW, false)).toBe(true);
  expect(iptablesMatters(DOCKER, false)).toBe(true);
});

test("beside a firewall the way through stands first in FORWARD", () => {
  expect(passIptables(RULES, UFW)).toEqual([
    ":HAVRE-havre0 - [0:0]",
    "-A HAVRE-havre0 -i havre0 -j ACCEPT",
    "-A HAVRE-havre0 -o havre0 -j ACCEPT",
    "-I FORWARD 1 -j HAVRE-havre0",
  ]);
});

test("beside Docker it stands where Docker wants foreign rules, and does not open Docker's bridges", () => {
  expect(passIptables(RULES, DOCKER)).toEqual([
    ":HAVRE-havre0 - [0:0]",
    "-A HAVRE-havre0 -i havre0 -o docker0 -j RETURN",
    "-A HAVRE-havre0 -i havre0 -o br-1 -j RETURN",
    "-A HAVRE-havre0 -i havre0 -j ACCEPT",
    "-A HAVRE-havre0 -o havre0 -j ACCEPT",
    "-I DOCKER-USER 1 -j HAVRE-havre0",
  ]);
});

test("a second time only the chain is made anew, and removal takes exactly what was added", () => {
  const installed = [...UFW, "-N HAVRE-havre0", "-A FORWARD -j HAVRE-havre0", "-A HAVRE-havre0 -i havre0 -j ACCEPT"];
  expect(passIptables(RULES, installed).some((line) => line.startsWith("-I"))).toBe(false);
  expect(unpassIptables("havre0", installed)).toEqual([
    "-D FORWARD -j HAVRE-havre0",
    "-F HAVRE-havre0",
    "-X HAVRE-havre0",
  ]);
  expect(unpassIptables("havre1", installed)).toEqual([]);
});
