import { expect, test } from "bun:test";
import { addressesOf } from "./addresses.ts";

test("a port is named once, by what it speaks and where it is bound", () => {
  const port = (PrivatePort: number, PublicPort: number | undefined, IP: string, Type = "tcp") => ({
    PrivatePort,
    Type,
    IP,
    ...(PublicPort === undefined ? {} : { PublicPort }),
  });
  expect(
    addressesOf([
      port(8080, 18080, "0.0.0.0"),
      port(8080, 18080, "::"),
      port(443, 8443, "192.0.2.5"),
      port(5432, 5432, "::1"),
      port(53, 5353, "0.0.0.0", "udp"),
      port(9000, undefined, ""),
    ]),
  ).toEqual(["http://127.0.0.1:18080", "https://192.0.2.5:8443", "[::1]:5432", "127.0.0.1:5353/udp"]);
});
