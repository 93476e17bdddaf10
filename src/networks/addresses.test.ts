import { expect, test } from "bun:test";
import { AddressPool } from "./addresses.ts";
import { formatAddress, parseIpv4, parseSubnet } from "./ip.ts";

const at = (last: number) => (parseIpv4("10.0.0.0") ?? 0n) + BigInt(last);
const none = () => false;
const pool = (subnet = "10.0.0.0/29") => new AddressPool({ subnet: parseSubnet(subnet), reserved: [at(1)] });

test("addresses come from the lowest up, without network, gateway and broadcast, until none is left", () => {
  const addresses = pool();
  const taken = Array.from({ length: 6 }, () => addresses.take(none));
  expect(taken.map((address) => address && formatAddress(4, address))).toEqual([
    "10.0.0.2",
    "10.0.0.3",
    "10.0.0.4",
    "10.0.0.5",
    "10.0.0.6",
    undefined,
  ]);
});

test("an address whose interface still exists is not given out", () => {
  const addresses = pool();
  const existing = new Set(["veth1"]);
  const first = addresses.take(none) ?? 0n;
  addresses.release(first, "veth1", undefined);
  expect(addresses.take((name) => existing.has(name))).toBe(at(3));
  expect(addresses.claim(first, (name) => existing.has(name))).toBe("leaving");
  existing.clear();
  expect(addresses.take((name) => existing.has(name))).toBe(first);
});

test("an address is kept for its stopped container until it is the last one free", () => {
  const addresses = pool();
  addresses.release(addresses.take(none) ?? 0n, undefined, "c1");
  const others = Array.from({ length: 4 }, () => addresses.take(none));
  expect(others).toEqual([at(3), at(4), at(5), at(6)]);
  expect(addresses.take(none)).toBe(at(2));
  expect(addresses.claim(at(2), none)).toBe("taken");
});

test("a forgotten container's address is free for anyone", () => {
  const addresses = pool();
  addresses.release(addresses.take(none) ?? 0n, undefined, "c1");
  addresses.forget(at(2), "another");
  expect(addresses.take(none)).toBe(at(3));
  addresses.forget(at(2), "c1");
  expect(addresses.take(none)).toBe(at(2));
});

test("whatever is taken, claimed and released, no address has two holders", () => {
  const addresses = pool("10.0.0.0/27");
  const held = new Set<bigint>();
  let seed = 12345;
  const random = (bound: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % bound;
  };
  for (let step = 0; step < 5000; step++) {
    const victim = [...held][random(held.size + 1)];
    if (victim !== undefined && random(2) === 0) {
      addresses.release(victim, undefined, random(2) === 0 ? `c${random(5)}` : undefined);
      held.delete(victim);
    } else if (random(3) === 0) {
      const wanted = at(random(32));
      const answer = addresses.claim(wanted, none);
      expect(answer === "claimed").toBe(answer === "claimed" && !held.has(wanted));
      if (answer === "claimed") held.add(wanted);
    } else {
      const address = addresses.take(none);
      expect(address === undefined).toBe(held.size === addresses.capacity);
      if (address === undefined) continue;
      expect(held.has(address)).toBe(false);
      held.add(address);
    }
  }
});
