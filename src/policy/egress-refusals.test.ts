import { expect, test } from "bun:test";
import { explainOutbound } from "./egress-refusals.ts";
import { parseGrant } from "./profiles/grants.ts";

test("what was refused outwards is told with the words that grant it", () => {
  const told = explainOutbound({
    names: [{ name: "example.org", count: 2 }],
    connections: [
      { address: "203.0.113.7", names: ["a.test"], protocol: 6, port: 443, count: 1 },
      { address: "2001:db8::1", names: [], protocol: 17, port: 53, count: 3 },
      { address: "203.0.113.8", names: [], protocol: 1, port: undefined, count: 1 },
    ],
  });
  expect(told.map(({ tried, target, grant }) => [tried, target, grant])).toEqual([
    ["asked for a name (2 times)", "example.org", "--grant egress:example.org"],
    ["connected (3 times)", "2001:db8::1 port 53/udp", "--grant egress:[2001:db8::1]:53/udp"],
    ["connected", "a.test (203.0.113.7) port 443/tcp", "--grant egress:a.test:443"],
    ["sent ICMP", "203.0.113.8", "--grant egress:203.0.113.8"],
  ]);
  for (const { grant = "" } of told) expect(() => parseGrant(grant.replace("--grant ", ""))).not.toThrow();
  expect(told[0]?.remedy).toContain('x-havre: { egress: ["example.org"] }');
});
