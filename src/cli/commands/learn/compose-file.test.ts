import { expect, test } from "bun:test";
import { withTerms } from "./compose-file.ts";

const FILE = `# The shop
services:
  web:                # what people see
    image: nginx
    ports: [ "80:80" ]

  db:
    image: postgres
    labels:
      - team=data   # who is asked
      - havre.grants=cap:kill
    security_opt:
      - no-new-privileges
`;

test("a service gets its terms; nothing else changes", () => {
  const terms = { grants: ["net-bind", "write:/var/cache"], seccomp: "./web.seccomp.json" };
  const web = withTerms(FILE, "web", terms);
  const added = `    security_opt:
      - seccomp=./web.seccomp.json
    labels:
      havre.profile: hardened
      havre.grants: net-bind write:/var/cache
`;
  expect(web).toBe(FILE.replace("    image: nginx\n", `${added}    image: nginx\n`));
  expect(withTerms(web, "web", terms)).toBe(web);
});

test("lists stay lists; what was granted before is replaced, or taken out", () => {
  const db = withTerms(FILE, "db", { grants: ["cap:chown"], seccomp: "./db.json" });
  const labels = "      - havre.profile=hardened\n      - team=data   # who is asked\n      - havre.grants=cap:chown\n";
  expect(db).toContain(labels);
  expect(db).toContain("      - seccomp=./db.json\n      - no-new-privileges\n");
  expect(withTerms(db, "db", { grants: [] })).not.toContain("havre.grants");
});

test("a service that is not there, or not written line by line, is refused", () => {
  expect(() => withTerms(FILE, "cache", { grants: [] })).toThrow("no service cache");
  expect(() => withTerms("services:\n  a:\n    labels: { b: c }\n", "a", { grants: ["net-bind"] })).toThrow(
    "line by line",
  );
});
