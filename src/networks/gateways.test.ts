import { expect, test } from "bun:test";
import { chooseGateways, type GatewayCandidate } from "./gateways.ts";
import { addressBytes } from "./ip.ts";

const four = (last: number) => addressBytes(4, 0x0a000000n + BigInt(last));
const six = (last: number) => addressBytes(6, BigInt(last));
const candidate = (name: string, gateways: readonly Uint8Array[], priority = 0): GatewayCandidate => ({
  name,
  gateways,
  priority,
});

test("the default route goes by the first network in the alphabet that has a way out", () => {
  const chosen = chooseGateways([candidate("web", [four(1)]), candidate("app", [four(2)]), candidate("aa", [])]);
  expect(chosen).toEqual([four(2)]);
});

test("priority goes before the alphabet, and each family has its own", () => {
  const chosen = chooseGateways([candidate("app", [four(1), six(1)]), candidate("web", [four(2)], 5)]);
  expect(chosen).toEqual([four(2), six(1)]);
});

test("networks without a way out give none", () => {
  expect(chooseGateways([candidate("app", [])])).toEqual([]);
});
