import { expect, test } from "bun:test";
import { hostnameFile, hostsFile } from "./hosts-file.ts";

const HEAD = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;
const base = { hostname: "web", addresses: ["172.17.0.3"], extraHosts: [], hostGateway: "172.17.0.1" };

test("a container's own name stands behind its address", () => {
  expect(hostsFile(base)).toBe(`${HEAD}172.17.0.3\tweb\n`);
});

test("a full name is followed by its first label, whichever way it was given", () => {
  expect(hostsFile({ ...base, hostname: "h1.example.com" })).toBe(`${HEAD}172.17.0.3\th1.example.com h1\n`);
  expect(hostsFile({ ...base, hostname: "h1", domainname: "dom.org" })).toBe(`${HEAD}172.17.0.3\th1.dom.org h1\n`);
});

test("extra hosts come before, IPv6 addresses and the host's gateway included", () => {
  const extraHosts = ["x:1.1.1.1", "y:host-gateway", "z:fd00::9"];
  expect(hostsFile({ ...base, extraHosts })).toBe(`${HEAD}1.1.1.1\tx\n172.17.0.1\ty\nfd00::9\tz\n172.17.0.3\tweb\n`);
});

test("without a network there is no own line", () => {
  expect(hostsFile({ ...base, addresses: [] })).toBe(HEAD);
});

test("the hostname file is one line", () => {
  expect(hostnameFile("web")).toBe("web\n");
});
