import { expect, test } from "bun:test";
import type { ImageFilters } from "./images.ts";
import { Workshop } from "./testing/workshop.ts";

async function furnished(): Promise<Workshop> {
  const shop = new Workshop();
  await shop.make("debian:11", "d11", ["LABEL family=debian"]);
  await shop.make("debian:12", "d12", ["LABEL family=debian", "LABEL version=12"]);
  await shop.make("ghcr.io/team/app:1.0", "app");
  await shop.images.tag("debian:12", "ghcr.io/team/debian", "stable");
  await shop.make("debian:11", "d11 again");
  return shop;
}

const CASES: readonly (readonly [name: string, filters: ImageFilters, expected: readonly string[][]])[] = [
  ["nothing asked", {}, [["debian:11"], ["ghcr.io/team/app:1.0"], ["debian:12", "ghcr.io/team/debian:stable"], []]],
  ["dangling", { dangling: true }, [[]]],
  [
    "not dangling",
    { dangling: false },
    [["debian:11"], ["ghcr.io/team/app:1.0"], ["debian:12", "ghcr.io/team/debian:stable"]],
  ],
  ["label", { labels: ["family"] }, [["debian:12", "ghcr.io/team/debian:stable"], []]],
  ["labels, all", { labels: ["family=debian", "version=12"] }, [["debian:12", "ghcr.io/team/debian:stable"]]],
  ["label of another value", { labels: ["version=11"] }, []],
  ["repository", { reference: ["debian"] }, [["debian:11"], ["debian:12"]]],
  ["pattern", { reference: ["debian:1*"] }, [["debian:11"], ["debian:12"]]],
  ["pattern across slashes", { reference: ["*/*/*"] }, [["ghcr.io/team/app:1.0"], ["ghcr.io/team/debian:stable"]]],
  ["several patterns", { reference: ["*/*/app", "debian:12"] }, [["ghcr.io/team/app:1.0"], ["debian:12"]]],
  ["before", { before: "ghcr.io/team/app:1.0" }, [["debian:12", "ghcr.io/team/debian:stable"], []]],
  ["since", { since: "debian:12" }, [["debian:11"], ["ghcr.io/team/app:1.0"]]],
];

test.each(CASES)("%s", async (_, filters, expected) => {
  using shop = await furnished();
  expect(shop.images.list(filters).map(({ tags }) => [...tags])).toEqual(expected as string[][]);
});

test("until is a moment; before names an image that must be here", async () => {
  using shop = await furnished();
  const created = shop.images.resolve("debian:12").created;
  expect(shop.images.list({ until: created }).length).toBe(1);
  expect(() => shop.images.list({ before: "nowhere" })).toThrow("No such image: nowhere:latest");
  expect(() => shop.images.list({ reference: ["["] })).toThrow("syntax error in pattern");
});
