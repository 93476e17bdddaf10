import { expect, test } from "bun:test";
import { defaultSettings, endpointsOf, isInsecure, registryDomain } from "./settings.ts";

test.each([
  ["127.0.0.1:5000", [], true],
  ["localhost:5000", [], true],
  ["[::1]:5000", [], true],
  ["10.1.2.3:5000", ["10.0.0.0/8"], true],
  ["11.1.2.3:5000", ["10.0.0.0/8"], false],
  ["r.example:5000", ["r.example:5000"], true],
  ["r.example:5000", ["r.example"], true],
  ["r.example", ["other"], false],
])("%s with %p: insecure %p", (host, insecure, expected) => {
  expect(isInsecure(host, { ...defaultSettings, insecure })).toBe(expected);
});

test("Docker Hub is asked after its mirrors, and pushed to without them", () => {
  const settings = { ...defaultSettings, mirrors: ["https://mirror.example/hub/"] };
  const bases = (forPush: boolean) => endpointsOf("docker.io", settings, forPush).map(({ base }) => base);
  expect(bases(false)).toEqual(["https://mirror.example/hub", "https://registry-1.docker.io"]);
  expect(bases(true)).toEqual(["https://registry-1.docker.io"]);
  expect(endpointsOf("r.example", settings, false).map(({ base }) => base)).toEqual(["https://r.example"]);
  expect(endpointsOf("127.0.0.1:5000", settings, false).map(({ base }) => base)).toEqual([
    "https://127.0.0.1:5000",
    "http://127.0.0.1:5000",
  ]);
});

test.each([
  ["", "docker.io"],
  ["https://index.docker.io/v1/", "docker.io"],
  ["https://r.example:5000/v2/", "r.example:5000"],
  ["r.example", "r.example"],
])("a sign-in to %p is one to %p", (server, domain) => {
  expect(registryDomain(server)).toBe(domain);
});
