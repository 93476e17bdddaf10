import { expect, test } from "bun:test";
import { IgnoreMatcher } from "../../../spec/mod.ts";
import { parseDockerfile } from "../parse-dockerfile.ts";
import { planBuild } from "../plan.ts";
import { type LintOptions, lintDockerfile } from "./lint.ts";
import { RULES, type RuleName, ruleUrl } from "./rules.ts";

const AMD64 = { os: "linux", architecture: "amd64" };

function lint(text: string, options: Partial<LintOptions> = {}) {
  const told = { buildArgs: new Map(), buildPlatform: AMD64, targetPlatform: AMD64, ...options };
  return lintDockerfile(planBuild(parseDockerfile({ name: "Dockerfile", text }), told), told);
}

function shown(text: string, options: Partial<LintOptions> = {}) {
  return lint(text, options).warnings.map(
    ({ rule, range: { start }, message }) => `${start.line}:${start.column} ${rule}: ${message}`,
  );
}

test.each<[text: string, ...warnings: string[]]>([
  ["FROM a\nRUN x\n"],
  ["FROM a AS Big\n", "1:11 StageNameCasing: Stage name 'Big' should be lowercase"],
  ["FROM a as x\n", "1:8 FromAsCasing: 'as' and 'FROM' keywords' casing do not match"],
  ["from a as x\n"],
  ["FROM a\nRUN x \\\n\n  y\n", "4:1 NoEmptyContinuation: Empty continuation line"],
  [
    "FROM a\nrun x\nRun y\n",
    "2:1 ConsistentInstructionCasing: Command 'run' should match the case of the command majority (uppercase)",
    "3:1 ConsistentInstructionCasing: Command 'Run' should match the case of the command majority (uppercase)",
  ],
  ["FROM a AS x\nFROM b AS x\n", '2:11 DuplicateStageName: Duplicate stage name "x", stage names should be unique'],
  [
    "FROM a AS context\n",
    '1:11 ReservedStageName: Stage name should not use the same name as reserved stage "context"',
  ],
  [
    "FROM a\nCMD x\n",
    "2:1 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals",
  ],
  ['FROM a\nSHELL ["/x"]\nENTRYPOINT x\nCMD ["y"]\n'],
  ["FROM a\nMAINTAINER x\n", "2:1 MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label"],
  ["ARG BASE\nFROM a$BSE\n", "2:1 UndefinedArgInFrom: FROM argument 'BSE' is not declared (did you mean BASE?)"],
  [
    "FROM a\nWORKDIR x\nWORKDIR y\n",
    '2:1 WorkdirRelativePath: Relative workdir "x" can have unexpected results if the base image changes',
  ],
  ["FROM a AS x\nWORKDIR /\nFROM x\nWORKDIR y\n"],
  [
    "FROM scratch\nENV NAME=1\nUSER $NAEM$PATH\n",
    "3:1 UndefinedVar: Usage of undefined variable '$NAEM' (did you mean $NAME?)",
  ],
  ["FROM a\nUSER $UNKNOWN\n"],
  [
    'FROM a\nCMD ["x"]\nCMD ["y"]\n',
    "2:1 MultipleInstructionsDisallowed: Multiple CMD instructions should not be used in the same stage because only the last one will be used",
  ],
  [
    "FROM a\nENV A b\n",
    '2:1 LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format',
  ],
  [
    "FROM --platform=$TARGETPLATFORM a\n",
    "1:6 RedundantTargetPlatform: Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
  ],
  [
    "FROM --platform=linux/arm64 a\n",
    '1:6 FromPlatformFlagConstDisallowed: FROM --platform flag should not use constant value "linux/arm64"',
  ],
  ["FROM --platform=linux/arm64 a AS x-arm64\nFROM --platform=$BUILDPLATFORM a\n"],
  [
    "FROM a\nARG API_TOKEN\nENV PASSWORD=x KEY_FILE=y\n",
    '2:1 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "API_TOKEN")',
    '3:1 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "PASSWORD")',
  ],
  [
    "FROM a\nEXPOSE 80/TCP 1.2.3.4:80:90\n",
    "2:8 ExposeProtoCasing: Defined protocol '80/TCP' in EXPOSE instruction should be lowercase",
    "2:15 ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port mapping, found '1.2.3.4:80:90'",
  ],
])("%j", (text, ...warnings) => {
  expect(shown(text)).toEqual(warnings);
});

test("a base that needs a build argument to have a name", () => {
  const text = "ARG VERSION\nFROM a:$VERSION\n";
  expect(shown(text, { buildArgs: new Map([["VERSION", "1"]]) })).toEqual([
    "2:6 InvalidDefaultArgInFrom: Default value for ARG a:$VERSION results in empty or invalid base image name",
  ]);
});

test("variables of a base image that is known", () => {
  expect(shown("FROM a\nUSER $HOME$HOEM\n", { environments: new Map([[0, ["HOME=/"]]]) })).toEqual([
    "2:1 UndefinedVar: Usage of undefined variable '$HOEM' (did you mean $HOME?)",
  ]);
});

test("files that .dockerignore leaves out", () => {
  const text = "FROM a AS x\nCOPY ./tmp/x b.md ok /\nADD https://x.y/b.md /\nFROM a\nCOPY --from=x tmp /\n";
  expect(shown(text, { ignore: new IgnoreMatcher(["tmp", "*.md"]) })).toEqual([
    '2:1 CopyIgnoredFile: Attempting to Copy file "tmp/x" that is excluded by .dockerignore',
    '2:1 CopyIgnoredFile: Attempting to Copy file "b.md" that is excluded by .dockerignore',
  ]);
  expect(shown(text, { ignore: new IgnoreMatcher(["tmp", "!tmp/x"]) })).toEqual([]);
});

test("rules are left out by the file, and by a comment for one instruction", () => {
  const body = "FROM a AS X\n# check=skip=MaintainerDeprecated\nMAINTAINER x\nMAINTAINER y\n";
  expect(shown(`# check=skip=StageNameCasing\n${body}`)).toEqual([
    "5:1 MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label",
  ]);
  expect(shown(`# check=skip=all\n${body}`)).toEqual([]);
});

test("descriptions are looked at when asked for", () => {
  const body = "# VERSION of it\nARG VERSION\n# wrong\nARG OTHER\nFROM a\n";
  expect(shown(body)).toEqual([]);
  expect(shown(`# check=experimental=InvalidDefinitionDescription\n${body}`)).toEqual([
    "5:1 InvalidDefinitionDescription: Comment for ARG should follow the format: `# OTHER <description>`",
  ]);
});

test("warnings are errors when the file says so", () => {
  expect(lint("# check=error=true\nFROM a AS X\nMAINTAINER y\n").error?.message).toBe(
    "lint violation found for rules: StageNameCasing, MaintainerDeprecated",
  );
  expect(lint("# check=error=true\nFROM a\n").error).toBeUndefined();
});

test.each([
  ["skip", 'invalid check option "skip"'],
  ["foo=1", 'invalid check option "foo"'],
  ["error=maybe", 'failed to parse check option "error=maybe"'],
])("check=%s is refused", (check, message) => {
  expect(() => lint(`# check=${check}\nFROM a\n`)).toThrow(message);
});

test("every rule has a page", () => {
  expect(
    Object.keys(RULES).map((rule) =>
      ruleUrl(rule as RuleName)
        .split("/")
        .at(-2),
    ),
  ).toContain("json-args-recommended");
  expect(ruleUrl("UndefinedArgInFrom")).toBe("https://docs.docker.com/go/dockerfile/rule/undefined-arg-in-from/");
});
