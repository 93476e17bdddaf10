import { expect, test } from "bun:test";
import { namePattern } from "./name-pattern.ts";
import { RepositoryRoles } from "./registry-roles.ts";

test.each([
  ["**", ["a", "a/b/c"], []],
  ["team/**", ["team/app", "team/a/b", "team"], ["teams/app", "other/team/app"]],
  ["team/*", ["team/app"], ["team/a/b", "team"]],
  ["**/cache", ["cache", "a/cache", "a/b/cache"], ["cache/a"]],
  ["v*", ["v", "v1.2"], ["1v"]],
  ["v*.*-rc*", ["v1.2-rc1", "v.-rc"], ["v1-rc1", "v1.2"]],
  ["*aab*b", ["aabb", "aaaabxb"], ["aab", "ab"]],
  ["app", ["app"], ["apps", "a.p"]],
])("%s fits what it should", (pattern, fits, others) => {
  const matches = namePattern(pattern);
  expect(fits.filter((name) => !matches(name))).toEqual([]);
  expect(others.filter(matches)).toEqual([]);
});

const roles = new RepositoryRoles(
  [
    { match: "**", roles: { admin: ["root"] } },
    { match: "team/**", roles: { push: ["group:team"], delete: ["janitor"], pull: ["anonymous"] } },
    { match: "inner/*", roles: { pull: ["authenticated"] } },
  ],
  { team: ["ann", "bob"] },
);
const may = (user: string | undefined, repository: string) =>
  (["pull", "push", "delete", "admin"] as const).filter((action) => roles.decide(user, repository, action).allowed);

test("grants add up, a role includes pulling, and what nobody granted is denied", () => {
  expect(may("root", "any/thing")).toEqual(["pull", "push", "delete", "admin"]);
  expect(may("ann", "team/app")).toEqual(["pull", "push"]);
  expect(may("janitor", "team/app")).toEqual(["pull", "delete"]);
  expect(may(undefined, "team/app")).toEqual(["pull"]);
  expect(may("ann", "inner/app")).toEqual(["pull"]);
  expect(may(undefined, "inner/app")).toEqual([]);
  expect(may("ann", "other")).toEqual([]);
  expect(may("team", "team/app")).toEqual(["pull"]);
  expect(roles.everywhere("root", "admin")).toBe(true);
  expect(roles.everywhere("ann", "pull")).toBe(false);
});

test("a decision says why", () => {
  expect(roles.decide("ann", "team/app", "push").explain).toBe("ann may push: team/** gives push to group:team");
  expect(roles.decide(undefined, "other", "pull").explain).toBe("no rule lets somebody who did not sign in pull other");
});
