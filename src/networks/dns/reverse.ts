import { isIPv4 } from "node:net";

/** The name under which an address is looked up (RFC 1035 section 3.5, RFC 3596 section 2.5), without the final dot. */
export function reverseName(address: string): string {
  if (isIPv4(address)) return `${address.split(".").reverse().join(".")}.in-addr.arpa`;
  return `${[...ipv6Digits(address)].reverse().join(".")}.ip6.arpa`;
}

export function ipv6Bytes(address: string): Uint8Array {
  return Buffer.from(ipv6Digits(address), "hex");
}

/** All 32 digits of a valid address; the engine writes none with dots in it. */
function ipv6Digits(address: string): string {
  const [before = [], after = []] = address.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array<string>(8 - before.length - after.length).fill("0");
  return [...before, ...zeros, ...after].map((group) => group.padStart(4, "0")).join("");
}
