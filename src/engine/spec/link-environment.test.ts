import { expect, test } from "bun:test";
import { linkEnvironment } from "./link-environment.ts";

test("a link tells address, lowest port first, name and environment", () => {
  const ports = { "53/udp": {}, "80/tcp": {}, "53/tcp": {} };
  expect(
    linkEnvironment("/web/my-db", "10.0.0.2", { ExposedPorts: ports, Env: ["A=1=2", "PATH=/bin", "bare"] }),
  ).toEqual([
    "MY_DB_PORT=tcp://10.0.0.2:53",
    "MY_DB_PORT_53_TCP=tcp://10.0.0.2:53",
    "MY_DB_PORT_53_TCP_ADDR=10.0.0.2",
    "MY_DB_PORT_53_TCP_PORT=53",
    "MY_DB_PORT_53_TCP_PROTO=tcp",
    "MY_DB_PORT_53_UDP=udp://10.0.0.2:53",
    "MY_DB_PORT_53_UDP_ADDR=10.0.0.2",
    "MY_DB_PORT_53_UDP_PORT=53",
    "MY_DB_PORT_53_UDP_PROTO=udp",
    "MY_DB_PORT_80_TCP=tcp://10.0.0.2:80",
    "MY_DB_PORT_80_TCP_ADDR=10.0.0.2",
    "MY_DB_PORT_80_TCP_PORT=80",
    "MY_DB_PORT_80_TCP_PROTO=tcp",
    "MY_DB_NAME=/web/my-db",
    "MY_DB_ENV_A=1=2",
  ]);
});
