import { expect, test } from "bun:test";
import { portRequests } from "./requests.ts";

const settings = { bindings: {}, exposed: [], publishAll: false, open: [] };
const binding = (HostPort: string, HostIp = "") => ({ HostIp, HostPort });
const shown = (given: Partial<Parameters<typeof portRequests>[0]>) =>
  portRequests({ ...settings, ...given }).map(
    ({ protocol, containerPort, hostAddress, hostPorts, open }) =>
      `${hostAddress}|${hostPorts?.join("-") ?? "any"}|${containerPort}/${protocol}${open ? " open" : ""}`,
  );

test("one request for each binding, those of certain ports first", () => {
  expect(
    shown({
      bindings: {
        "80/tcp": [binding(""), binding("8099", "::1")],
        "81": [binding("9000-9010")],
        "53/UDP": [binding("53", "127.0.0.1")],
        "99/tcp": null,
      },
    }),
  ).toEqual(["127.0.0.1|53-53|53/udp", "::1|8099-8099|80/tcp", "|9000-9010|81/tcp", "|any|80/tcp"]);
});

test("port 0 is any port", () => {
  expect(shown({ bindings: { "80/tcp": [binding("0")] } })).toEqual(["|any|80/tcp"]);
});

test("-P publishes what is exposed and not bound", () => {
  const bindings = { "80/tcp": [binding("8080")], "81/tcp": [] };
  expect(shown({ bindings, exposed: ["80/tcp", "81/tcp", "90-91/udp"] })).toEqual(["|8080-8080|80/tcp"]);
  expect(shown({ bindings, exposed: ["80/tcp", "81/tcp", "90-91/udp"], publishAll: true })).toEqual([
    "|8080-8080|80/tcp",
    "|any|81/tcp",
    "|any|90/udp",
    "|any|91/udp",
  ]);
});

test("ports are opened one by one, or all", () => {
  const bindings = { "80/tcp": [binding("8080")], "53/udp": [binding("53")] };
  expect(shown({ bindings, open: ["80"] })).toEqual(["|53-53|53/udp", "|8080-8080|80/tcp open"]);
  expect(shown({ bindings, open: ["all"] })).toEqual(["|53-53|53/udp open", "|8080-8080|80/tcp open"]);
});

test("what is no port is refused", () => {
  expect(() => shown({ bindings: { "0/tcp": [binding("1")] } })).toThrow("invalid port specification");
  expect(() => shown({ bindings: { "80/icmp": [binding("1")] } })).toThrow("invalid proto: icmp");
});
