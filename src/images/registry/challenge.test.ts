import { expect, test } from "bun:test";
import { parseChallenges } from "./challenge.ts";

const parsed = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

test.each([
  [
    'Bearer realm="https://a/token",service="a.b",scope="x:y:pull,push"',
    [["bearer", { realm: "https://a/token", service: "a.b", scope: "x:y:pull,push" }]],
  ],
  ['basic Realm="a \\"quoted\\" one"', [["basic", { realm: 'a "quoted" one' }]]],
  [
    "Negotiate, Basic realm=plain",
    [
      ["other", {}],
      ["basic", { realm: "plain" }],
    ],
  ],
  [
    'Bearer realm="x" , service=y, Basic realm="z"',
    [
      ["bearer", { realm: "x", service: "y" }],
      ["basic", { realm: "z" }],
    ],
  ],
  ["", []],
  [
    'Bearer realm="never closed',
    [
      ["bearer", {}],
      ["other", {}],
    ],
  ],
])("%s", (header, expected) => {
  expect(parsed(header)).toEqual(expected as never);
});

test("no header takes long", () => {
  for (const hostile of ['Bearer realm="'.repeat(5000), "a=,".repeat(20_000), '\\"'.repeat(20_000)]) {
    expect(() => parseChallenges(hostile)).not.toThrow();
  }
});
