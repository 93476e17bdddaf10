import { expect, test } from "bun:test";
import { parseSecurityOptions } from "./security-options.ts";

test("all kinds, the old separator, the last of a kind", () => {
  expect(
    parseSecurityOptions([
      "no-new-privileges",
      "seccomp=a",
      'seccomp={"a":"b=c"}',
      "apparmor:mine",
      "label=type:svirt_t",
      "label=disable",
    ]),
  ).toEqual({
    noNewPrivileges: true,
    seccomp: '{"a":"b=c"}',
    apparmor: "mine",
    labels: ["type:svirt_t", "disable"],
  });
  expect(parseSecurityOptions(["no-new-privileges", "no-new-privileges=false"]).noNewPrivileges).toBe(false);
  expect(parseSecurityOptions(["no-new-privileges:true"]).noNewPrivileges).toBe(true);
});

test.each([
  ["foo", 'invalid --security-opt 1: "foo"'],
  ["foo=bar", 'invalid --security-opt 2: "foo=bar"'],
  ["no-new-privileges=maybe", 'invalid --security-opt 2: "no-new-privileges=maybe"'],
])("%s is refused", (option, message) => {
  expect(() => parseSecurityOptions([option])).toThrow(message);
});
