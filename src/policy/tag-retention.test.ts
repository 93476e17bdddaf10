import { expect, test } from "bun:test";
import { type RetentionRule, retainTags } from "./tag-retention.ts";

const DAY = 86_400_000;
const NOW = 1000 * DAY;
const tags = ["latest", "v2", "v1", "b4", "b3", "b2", "b1"].map((name, age) => ({ name, at: NOW - age * DAY }));
const removed = (rule: RetentionRule) =>
  retainTags(rule, tags, NOW)
    .filter(({ keep }) => !keep)
    .map(({ name }) => name);

test("the newest, the young and what a pattern names stay; each alone is enough", () => {
  expect(removed({})).toEqual([]);
  expect(removed({ newest: 5 })).toEqual(["b2", "b1"]);
  expect(removed({ within: 4.5 * DAY })).toEqual(["b2", "b1"]);
  expect(removed({ newest: 2, within: 5.5 * DAY })).toEqual(["b1"]);
  expect(removed({ tags: ["v*"] })).toEqual([]);
  // What a pattern keeps takes no place of the newest.
  expect(removed({ newest: 2, tags: ["v*", "latest"] })).toEqual(["b2", "b1"]);
  expect(removed({ newest: 0, tags: ["v*"] })).toEqual(["latest", "b4", "b3", "b2", "b1"]);
});

test("immutable tags stay, and each verdict says why", () => {
  const held = tags.map((tag) => ({ ...tag, immutable: tag.name === "b1" }));
  const verdicts = retainTags({ newest: 1, within: DAY / 2 }, held, NOW);
  const why = Object.fromEntries(verdicts.map(({ name, explain }) => [name, explain]));
  expect(why).toMatchObject({
    latest: "it is among the newest 1",
    b1: "it is immutable",
    b2: "5 newer tags are there, it is 5 days old",
  });
});

test("at most so many stay, whatever the tags", () => {
  for (let count = 0; count < 40; count++) {
    const many = Array.from({ length: count }, (_, index) => ({ name: `t${index}`, at: (index * 7919) % 97 }));
    const kept = retainTags({ newest: 10 }, many, 100).filter(({ keep }) => keep);
    expect(kept.length).toBe(Math.min(10, count));
    const oldestKept = Math.min(...kept.map(({ name }) => many.find((tag) => tag.name === name)?.at ?? 0), 100);
    for (const tag of many) if (tag.at > oldestKept) expect(kept.map(({ name }) => name)).toContain(tag.name);
  }
});
