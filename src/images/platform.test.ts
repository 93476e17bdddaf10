import { expect, test } from "bun:test";
import { parsePlatform, platformFit, requirePlatform } from "./platform.ts";

const HOST = { os: "linux", architecture: "amd64" };

test.each([
  ["linux/amd64", { os: "linux", architecture: "amd64" }],
  ["linux/x86_64", { os: "linux", architecture: "amd64" }],
  ["arm64", { os: "linux", architecture: "arm64" }],
  ["linux", HOST],
  ["linux/arm64/v8", { os: "linux", architecture: "arm64" }],
  ["linux/arm/v6", { os: "linux", architecture: "arm", variant: "v6" }],
  ["macos", { os: "darwin", architecture: "amd64" }],
  ["windows/amd64", { os: "windows", architecture: "amd64" }],
])("%s", (text, expected) => {
  expect(parsePlatform(text, HOST)).toEqual(expected);
});

test.each(["a/b/c/d", "linux/", "foo"])("%s is refused", (text) => {
  expect(() => parsePlatform(text, HOST)).toThrow(
    `"${text}": unknown operating system or architecture: invalid argument`,
  );
});

test("what cannot be a system is refused as containerd refuses it", () => {
  expect(() => parsePlatform("lin ux", HOST)).toThrow(
    String.raw`"lin ux" is an invalid OS component of "lin ux": OSAndVersion specifier component must match "^([A-Za-z0-9_-]+)(?:\\(([A-Za-z0-9_.-]*)\\))?$": invalid argument`,
  );
});

test("a lower variant runs on a higher one and the highest that runs fits best", () => {
  const arm = (variant?: string) => ({ os: "linux", architecture: "arm", ...(variant ? { variant } : {}) });
  const fits = ["v5", "v6", "v7", "v8"].map((variant) => platformFit(arm(variant), arm("v7")));
  expect(fits.map((fit) => fit > 0)).toEqual([true, true, true, false]);
  expect(fits[2]).toBeGreaterThan(fits[1] ?? 0);
  expect(platformFit(arm(), arm("v7"))).toBeGreaterThan(0);
  expect(
    platformFit({ os: "linux", architecture: "arm64", variant: "v8" }, { os: "linux", architecture: "arm64" }),
  ).toBeGreaterThan(0);
  expect(platformFit(HOST, { os: "linux", architecture: "arm64" })).toBe(0);
});

test("an image of another platform is not found, in Docker's words", () => {
  expect(() => requirePlatform("bb", HOST, { os: "linux", architecture: "arm64" })).toThrow(
    "image with reference bb was found but does not match the specified platform: wanted linux/arm64, actual: linux/amd64",
  );
});
