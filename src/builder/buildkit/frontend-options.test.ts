import { expect, test } from "bun:test";
import { readFrontendAttributes } from "./frontend-options.ts";

const HOST = { os: "linux", architecture: "amd64" };
const read = (attributes: Record<string, string>) => readFrontendAttributes(attributes, HOST);

test("nothing said", () => {
  expect(read({})).toMatchObject({
    filename: "Dockerfile",
    dockerfileFolder: "dockerfile",
    contextFolder: "context",
    pull: false,
    options: { buildArgs: {}, noCache: false, platform: HOST, network: "bridge", extraHosts: [], target: undefined },
  });
});

test("everything said", () => {
  const request = read({
    filename: "sub/Other",
    target: "prod",
    "build-arg:A": "1",
    "build-arg:SOURCE_DATE_EPOCH": "12",
    "label:l": "x",
    "context:base": "docker-image://debian:12",
    "context:extra": "local:extra-folder",
    context: "local:own",
    platform: "linux/arm64/v8",
    "no-cache": "one,two",
    "image-resolve-mode": "pull",
    "add-hosts": "a=1.2.3.4,b=::1",
    "force-network-mode": "none",
    "shm-size": "1024",
    ulimit: "nofile=10:20,core=0",
    "cgroup-parent": "/x",
    requestid: "frontend.lint",
  });
  expect(request).toMatchObject({
    filename: "sub/Other",
    contextFolder: "own",
    remoteContext: undefined,
    pull: true,
    subrequest: "frontend.lint",
    epoch: 12_000,
    options: {
      target: "prod",
      buildArgs: { A: "1", SOURCE_DATE_EPOCH: "12" },
      labels: { l: "x" },
      noCache: ["one", "two"],
      platform: { os: "linux", architecture: "arm64", variant: "v8" },
      network: "none",
      extraHosts: ["a:1.2.3.4", "b:::1"],
      limits: {
        shmSize: 1024,
        cgroupParent: "/x",
        ulimits: [
          { name: "nofile", soft: 10, hard: 20 },
          { name: "core", soft: 0, hard: 0 },
        ],
      },
    },
  });
  expect([...request.contexts]).toEqual([
    ["base", { kind: "image", reference: "debian:12" }],
    ["extra", { kind: "local", folder: "extra-folder" }],
  ]);
});

test.each([
  [{ "context:x": "oci-layout://y" }, "unsupported context source oci-layout for x"],
  [{ "build-arg:SOURCE_DATE_EPOCH": "soon" }, "invalid SOURCE_DATE_EPOCH: soon"],
  [{ "force-network-mode": "x" }, "invalid netmode x"],
  [{ ulimit: "nofile" }, "failed to parse ulimit: nofile"],
])("%j is refused: %s", (attributes, message) => {
  expect(() => read(attributes)).toThrow(message);
});

test("several platforms, each once; caches as new and as old clients name them", () => {
  const { platforms, cacheFrom } = read({
    platform: "linux/amd64,linux/arm64,linux/amd64",
    "cache-imports": '[{"Type":"local","Attrs":{"src":"x"}}]',
  });
  expect(platforms.map(({ architecture }) => architecture)).toEqual(["amd64", "arm64"]);
  expect(cacheFrom).toEqual([{ type: "local", attributes: { src: "x" } }]);
  expect(read({ "cache-from": "a,b" }).cacheFrom.map(({ attributes }) => attributes.ref)).toEqual(["a", "b"]);
});

test("what a client asks to be said about an image; what it asks for by itself is not", () => {
  expect(read({ "attest:provenance": "mode=min,inline-only=true" }).attest).toBeUndefined();
  expect(read({ "attest:provenance": "disabled=true" }).attest).toBeUndefined();
  expect(read({ "attest:provenance": "mode=max", "attest:sbom": "", "vcs:revision": "abc" }).attest).toEqual({
    provenance: { mode: "max", source: { commit: "abc" } },
    bills: ["spdx"],
    inIndex: true,
  });
});
