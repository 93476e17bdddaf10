import { expect, test } from "bun:test";
import type { ExecutionConfig } from "../../spec/mod.ts";
import { applyChanges } from "./changes.ts";

const BASE: ExecutionConfig = { Env: ["PATH=/bin", "A=1"], Cmd: ["old"], WorkingDir: "/srv" };

const CASES: readonly (readonly [change: string, expected: Partial<ExecutionConfig>])[] = [
  ['CMD ["a", "b"]', { Cmd: ["a", "b"] }],
  ["cmd echo $A", { Cmd: ["/bin/sh", "-c", "echo $A"] }],
  ["CMD", { Cmd: [] }],
  ['CMD ["unfinished', { Cmd: ["/bin/sh", "-c", '["unfinished'] }],
  ['ENTRYPOINT ["/init"]', { Entrypoint: ["/init"], Cmd: null }],
  ['ENTRYPOINT ["/init"]\nCMD ["x"]', { Entrypoint: ["/init"], Cmd: ["x"] }],
  ['CMD ["x"]\nENTRYPOINT ["/init"]', { Entrypoint: ["/init"], Cmd: ["x"] }],
  ["ENV A=2 B=$A", { Env: ["PATH=/bin", "A=2", "B=1"] }],
  [
    `ENV B=a\\ b C='$A' D="\${A}x" E=\${NO:-else} F=\${A:+then}`,
    { Env: ["PATH=/bin", "A=1", "B=a b", "C=$A", "D=1x", "E=else", "F=then"] },
  ],
  ["ENV A some words", { Env: ["PATH=/bin", "A=some words"] }],
  ["ENV A=", { Env: ["PATH=/bin", "A="] }],
  ["ENV A=1 \\\n  # a comment\n  B=2", { Env: ["PATH=/bin", "A=1", "B=2"] }],
  ['LABEL a=b "c d"="e f" g=$PATH', { Labels: { a: "b", "c d": "e f", g: "/bin" } }],
  [
    "EXPOSE 80 53/udp 8000-8002 1.2.3.4:9:90",
    { ExposedPorts: { "80/tcp": {}, "53/udp": {}, "8000/tcp": {}, "8001/tcp": {}, "8002/tcp": {}, "90/tcp": {} } },
  ],
  ['VOLUME ["/a b", "/c"]', { Volumes: { "/a b": {}, "/c": {} } }],
  ["VOLUME /a /b", { Volumes: { "/a": {}, "/b": {} } }],
  ["USER 1000:$A", { User: "1000:1" }],
  ["USER a b", { User: "a b" }],
  ["WORKDIR sub/../x", { WorkingDir: "/srv/x" }],
  ["WORKDIR /new/", { WorkingDir: "/new" }],
  ["STOPSIGNAL SIGUSR1", { StopSignal: "SIGUSR1" }],
  ["STOPSIGNAL 9", { StopSignal: "9" }],
  ["HEALTHCHECK NONE", { Healthcheck: { Test: ["NONE"] } }],
  [
    "HEALTHCHECK --interval=1m30s --retries=3 --start-period=500ms CMD curl -f x",
    {
      Healthcheck: { Test: ["CMD-SHELL", "curl -f x"], Interval: 90e9, Retries: 3, StartPeriod: 5e8 },
    },
  ],
  ['HEALTHCHECK CMD ["a"]', { Healthcheck: { Test: ["CMD", "a"] } }],
  ["ONBUILD RUN a && b", { OnBuild: ["RUN a && b"] }],
];

test.each(CASES)("%j", (change, expected) => {
  expect(applyChanges(BASE, [change])).toEqual({ ...BASE, ...expected });
});

// Docker 26's own words for each.
const REFUSED: readonly (readonly [change: string, message: string])[] = [
  ["FOO bar", "FOO is not a valid change command"],
  ["RUN x", "RUN is not a valid change command"],
  ["env A", "ENV must have two arguments"],
  ["ENV A=1 B", `Syntax error - can't find = in "B". Must be of the form: name=value`],
  ["ENV =b", "ENV names can not be blank"],
  ["ENV", "ENV requires at least one argument"],
  ["LABEL x", "LABEL must have two arguments"],
  ["EXPOSE abc", "Invalid containerPort: abc"],
  ["EXPOSE 80/foo", "Invalid proto: foo"],
  ["EXPOSE", "EXPOSE requires at least one argument"],
  ["USER", "USER requires exactly one argument"],
  ["WORKDIR", "WORKDIR requires exactly one argument"],
  ["STOPSIGNAL FOO", "invalid signal: FOO"],
  ["ONBUILD ONBUILD RUN x", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
  ["ONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger"],
  ["ONBUILD", "ONBUILD requires at least one argument"],
  ["HEALTHCHECK --interval=1us CMD x", `Interval "interval" cannot be less than 1ms`],
  ["HEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"],
  ["HEALTHCHECK FOO", `Unknown type "FOO" in HEALTHCHECK (try CMD)`],
  ["HEALTHCHECK", "HEALTHCHECK requires at least one argument"],
  ["HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"],
  ["HEALTHCHECK --foo=1 CMD x", "unknown flag: foo"],
  ['VOLUME [""]', "VOLUME specified can not be an empty string"],
  ["VOLUME", "VOLUME requires at least one argument"],
  ["# c", "file with no instructions"],
];

test.each(REFUSED)("%s is refused", (change, message) => {
  expect(() => applyChanges(BASE, [change])).toThrow(message);
});
