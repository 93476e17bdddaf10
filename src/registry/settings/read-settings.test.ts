import { expect, test } from "bun:test";
import { parseSettings } from "./read-settings.ts";

const FULL = `version: 1
users: users
groups:
  team: [ann, bob]
token: {lifetime: 10m}
repositories:
  - match: "**"
    roles: {admin: [root]}
  - match: team/**
    roles: {push: [group:team], pull: [anonymous]}
    immutable: ["v*"]
    quota: 20GiB
    retain: {newest: 10, within: 30d, tags: [latest], untagged: 7d}
housekeeping: 24h
webhooks:
  - url: https://ci.example/hook
    headers: {Authorization: Bearer x}
mirrors:
  - prefix: docker.io/
    upstream: https://registry-1.docker.io
    fresh: 5m
audit: /var/log/audit.jsonl
metrics: [prometheus]
url: https://registry.example/
`;

test("everything that can be said", () => {
  expect(parseSettings("/etc/havre/registry.yml", FULL)).toEqual({
    users: "/etc/havre/users",
    token: { lifetimeMs: 600_000 },
    groups: { team: ["ann", "bob"] },
    repositories: [
      { match: "**", roles: { admin: ["root"] }, immutable: [] },
      {
        match: "team/**",
        roles: { push: ["group:team"], pull: ["anonymous"] },
        immutable: ["v*"],
        quota: 20 * 2 ** 30,
        retain: { newest: 10, within: 30 * 86_400_000, tags: ["latest"], untagged: 7 * 86_400_000 },
      },
    ],
    housekeepingMs: 86_400_000,
    webhooks: [
      {
        url: "https://ci.example/hook",
        events: ["push", "delete"],
        match: "**",
        headers: { Authorization: "Bearer x" },
      },
    ],
    mirrors: [{ prefix: "docker.io", upstream: "https://registry-1.docker.io", freshMs: 300_000 }],
    audit: "/var/log/audit.jsonl",
    metrics: ["prometheus"],
    url: "https://registry.example",
  });
});

test("users alone sign in for tokens; nothing said is nothing asked", () => {
  expect(parseSettings("r.yml", "version: 1\nusers: /u\n")).toMatchObject({ token: { lifetimeMs: 300_000 } });
  expect(parseSettings("r.yml", "version: 1\n")).toEqual({
    groups: {},
    repositories: [],
    webhooks: [],
    mirrors: [],
    metrics: [],
  });
});

test.each([
  ["", "r.yml:1:1: expected a mapping"],
  ["users: x\n", "r.yml:1:1: version is missing"],
  ["version: 2\n", 'r.yml:1:10: version: "2" is not a version that this Havre knows (1)'],
  ["version: 1\nuser: x\n", 'r.yml:2:1: unknown key "user"'],
  ["version: 1\na: [\n", "r.yml:3:1: "],
  ["version: 1\nusers:\n", "r.yml:2:7: users: expected a text"],
  ["version: 1\nrepositories:\n  - roles: {}\n", "r.yml:3:5: repositories[0]: match is missing"],
  [
    "version: 1\nusers: u\nrepositories:\n  - match: a\n    roles: {pul: [x]}\n",
    'r.yml:5:13: repositories[0].roles: unknown key "pul"',
  ],
  [
    "version: 1\nusers: u\nrepositories:\n  - match: a\n    roles:\n      pull: [group:none]\n",
    'r.yml:6:14: repositories[0].roles.pull[0]: "group:none" is not a user, group:NAME of a group above',
  ],
  ["version: 1\nrepositories: [{match: a, roles: {pull: [ann]}}]\n", "r.yml:2:15: repositories: roles need users"],
  ["version: 1\nrepositories: [{match: a, quota: much}]\n", '"much" is not a size such as 20GiB'],
  ["version: 1\nrepositories: [{match: a, retain: {within: 3}}]\n", '"3" is not a duration'],
  ["version: 1\nrepositories: [{match: a, retain: {newest: -1}}]\n", '"-1" is not a whole number'],
  ["version: 1\nwebhooks: [{url: ftp://x}]\n", '"ftp://x" is not an address'],
  ["version: 1\nwebhooks: [{url: http://x, events: [pull]}]\n", '"pull" is not one of push, delete'],
  ["version: 1\nmirrors: [{prefix: a, upstream: http://x, user: u}]\n", "user and password-file belong together"],
  ["version: 1\nusers: u\ntoken: {lifetime: 5s}\n", "r.yml:3:19: token.lifetime: clients expect tokens"],
  ["version: 1\nusers: u\ntrust: {}\n", "r.yml:3:8: trust: users sign in at the server that is trusted"],
  ["version: 1\ntrust: {realm: http://x}\n", "realm, service, issuer and keys are all needed"],
])("what is wrong in %j is told with its place", (text, message) => {
  expect(() => parseSettings("r.yml", text)).toThrow(message);
});
