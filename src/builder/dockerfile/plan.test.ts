import { expect, test } from "bun:test";
import { contextName } from "./context-name.ts";
import { parseDockerfile } from "./parse-dockerfile.ts";
import { type PlanOptions, planBuild } from "./plan.ts";

const AMD64 = { os: "linux", architecture: "amd64" };

function plan(text: string, options: Partial<PlanOptions> = {}) {
  return planBuild(parseDockerfile({ name: "Dockerfile", text }), {
    buildArgs: new Map(),
    buildPlatform: AMD64,
    targetPlatform: AMD64,
    ...options,
  });
}

const THREE = "FROM a AS one\nFROM b AS two\nRUN x\nFROM scratch AS three\nCOPY --from=one / /\n";

test("stages that the target does not need are left out", () => {
  expect(plan(THREE)).toMatchObject({ target: 2, needed: [0, 2] });
  expect(plan(THREE, { target: "TWO" })).toMatchObject({ target: 1, needed: [1] });
  expect(plan(THREE, { target: "0" })).toMatchObject({ target: 0, needed: [0] });
  expect(plan("FROM a AS x\nFROM X\nFROM a\nRUN --mount=from=x,target=/m y\nCOPY --from=1 a b\n").needed).toEqual([
    0, 1, 2,
  ]);
});

test("a base is an earlier stage, nothing, a context or an image", () => {
  const text = "ARG V=1\nFROM img:$V AS a\nFROM A\nFROM scratch\nFROM ctx\nFROM --platform=$BUILDPLATFORM b AS given\n";
  const { stages } = plan(text, { contexts: new Set(["ctx", "given"]), buildArgs: new Map([["V", "2"]]) });
  expect(stages.map(({ base }) => base)).toEqual([
    { kind: "image", reference: "img:2" },
    { kind: "stage", index: 0 },
    { kind: "scratch" },
    { kind: "context", name: "ctx" },
    { kind: "context", name: "given" },
  ]);
  expect(stages.map(({ title }) => title)).toEqual(["a", "stage-1", "stage-2", "stage-3", "given"]);
  expect(stages[4]?.platform).toBe("linux/amd64");
});

test("of two stages of one name the later is meant, by a base the last before it", () => {
  const { stages } = plan("FROM a AS x\nFROM b AS y\nFROM x AS x\nFROM x\nCOPY --from=x a b\n");
  expect(stages.map(({ needs }) => needs)).toEqual([[], [], [0], [2]]);
});

test("ONBUILD runs first in what stands on it, and brings its needs", () => {
  const text =
    "FROM a AS tool\nFROM b AS parent\nONBUILD COPY --from=tool /t /t\nONBUILD RUN two\nFROM parent\nRUN own\nFROM image\n";
  const parsed = plan(text, { target: "2" });
  expect(parsed.stages[2]).toMatchObject({ triggers: 2, needs: [1, 0] });
  expect(parsed.stages[2]?.commands.map(({ kind, source }) => [kind, source.range.start.line])).toEqual([
    ["copy", 5],
    ["run", 5],
    ["run", 6],
  ]);
  expect(parsed.needed).toEqual([0, 1, 2]);
  const triggers = new Map([["image", ["COPY --from=tool x y"]]]);
  expect(plan(text, { triggers }).needed).toEqual([0, 3]);
});

test("global arguments: defaults, build arguments, references to earlier ones and predefined ones", () => {
  const { globals } = plan("ARG A=1\nARG B=$A-$TARGETARCH\nARG C\nARG D=x\nFROM s\n", {
    buildArgs: new Map([
      ["D", "given"],
      ["TARGETOS", "plan9"],
    ]),
    targetPlatform: { os: "linux", architecture: "arm", variant: "v7" },
  });
  expect(Object.fromEntries(globals)).toMatchObject({
    A: "1",
    B: "1-arm",
    D: "given",
    BUILDPLATFORM: "linux/amd64",
    TARGETPLATFORM: "linux/arm/v7",
    TARGETOS: "plan9",
    TARGETVARIANT: "v7",
    TARGETSTAGE: "default",
  });
  expect(globals.has("C")).toBeFalse();
});

test.each([
  ["FROM $NO\n", "base name ($NO) should not be blank"],
  ["FROM --platform=$NO a\n", "empty platform value from expression $NO"],
  ["FROM a\nCOPY --from=3 a b\n", "invalid stage index 3"],
  ["FROM a\nCOPY --from=$x a b\n", "variable expansion is not supported for --from"],
  ["FROM a AS x\nCOPY --from=x a b\n", "circular dependency detected on stage: x"],
  ["FROM a AS x\nCOPY --from=y a b\nFROM x AS y\n", "circular dependency detected on stage: x"],
  [
    "FROM a AS x\nCOPY --from=y a b\nFROM b AS y\nFROM x\n",
    'cannot copy from stage "y", it needs to be defined before current stage "x"',
  ],
  [
    'ARG A="x\nFROM a\n',
    'failed to process "\\"x": unexpected end of statement while looking for matching double-quote',
  ],
])("%j is refused: %s", (text, message) => {
  expect(() => plan(text)).toThrow(message);
});

test("a target that is not there", () => {
  expect(() => plan("FROM a AS build\n", { target: "biuld" })).toThrow(
    'target stage "biuld" could not be found (did you mean build?)',
  );
});

test("a context stands for an image however that is written", () => {
  const names = ["alpine", "Alpine:latest", "docker.io/library/alpine", "alpine:3", "host/a:latest", "a@b c", "x"];
  expect(names.map(contextName)).toEqual(["alpine", "alpine", "alpine", "alpine:3", "host/a", "a@b c", "x"]);
});
