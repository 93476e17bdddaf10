import { ipVersion } from "../../spec/mod.ts";

interface Cidr {
  readonly version: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

/** Whether the network in CIDR form has the address or the other network's first address. False when it is no network. */
export function cidrContains(network: string, address: string): boolean {
  const [outer, inner] = [parseCidr(network), parseCidr(address)];
  if (!outer || !inner || outer.version !== inner.version) return false;
  return inner.first >= outer.first && inner.first <= outer.last;
}

export function cidrsOverlap(one: string, other: string): boolean {
  return cidrContains(one, other) || cidrContains(other, one);
}

function parseCidr(text: string): Cidr | undefined {
  const [address = "", prefix] = text.split("/");
  const version = ipVersion(address);
  if (version === 0) return undefined;
  const bits = version === 4 ? 32 : 128;
  const length = prefix === undefined ? bits : Number(prefix);
  if (!(length >= 0 && length <= bits)) return undefined;
  const hosts = BigInt(bits - length);
  const value = prefix === undefined ? number(address) : (number(address) >> hosts) << hosts;
  return { version, first: value, last: value + (1n << hosts) - 1n };
}

function number(address: string): bigint {
  if (!address.includes(":")) return address.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const pair = (high = "0", low = "0") => (Number(high) * 256 + Number(low)).toString(16);
  const plain = dotted ? `${dotted[1]}${pair(dotted[2], dotted[3])}:${pair(dotted[4], dotted[5])}` : address;
  const [head = "", tail] = plain.split("::");
  const groups = (part: string | undefined) => (part ? part.split(":") : []);
  const [before, after] = [groups(head), groups(tail)];
  const zeros = tail === undefined ? [] : Array<string>(8 - before.length - after.length).fill("0");
  return [...before, ...zeros, ...after].reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
}
