import { expect, test } from "bun:test";
import { DockerfileError } from "./errors.ts";
import { parseDockerfile } from "./parse-dockerfile.ts";
import { globalArgs, StageScope } from "./scope.ts";

const AMD64 = { os: "linux", architecture: "amd64" };

function scopeOf(text: string, environment: readonly string[] = [], args: Record<string, string> = {}) {
  const dockerfile = parseDockerfile({ name: "Dockerfile", text });
  const buildArgs = new Map(Object.entries(args));
  const globals = globalArgs(dockerfile, { buildArgs, buildPlatform: AMD64, targetPlatform: AMD64 });
  const scope = StageScope.onImage(dockerfile, globals, buildArgs, environment);
  return { scope, commands: dockerfile.stages[0]?.commands ?? [] };
}

/** What is left of each command, without its source. */
function applied(text: string, environment: readonly string[] = [], args: Record<string, string> = {}) {
  const { scope, commands } = scopeOf(text, environment, args);
  return commands.map((command) => {
    const { source, ...rest } = scope.apply(command);
    return rest;
  });
}

function fields(text: string, field: string, environment: readonly string[] = [], args: Record<string, string> = {}) {
  return applied(text, environment, args).map((command) => (command as Record<string, unknown>)[field]);
}

test("ENV sees the base's variables, and not those of its own line", () => {
  const text = `FROM a\nENV A=$BASE B=$A\nENV A=2\nENV C=$A B=\${B:-none}\n`;
  expect(applied(text, ["BASE=x"])).toEqual([
    {
      kind: "env",
      pairs: [
        { key: "A", value: "x", legacy: false },
        { key: "B", value: "", legacy: false },
      ],
    },
    { kind: "env", pairs: [{ key: "A", value: "2", legacy: false }] },
    {
      kind: "env",
      pairs: [
        { key: "C", value: "2", legacy: false },
        { key: "B", value: "none", legacy: false },
      ],
    },
  ]);
});

test.each([
  ["a default", "FROM a\nARG X=1\nUSER $X\n", {}, "1"],
  ["a build argument", "FROM a\nARG X=1\nUSER $X\n", { X: "2" }, "2"],
  ["no declaration", "FROM a\nUSER x$X\n", { X: "2" }, "x"],
  ["a global default", "ARG X=1\nFROM a\nARG X\nUSER $X\n", {}, "1"],
  ["a global one that is not asked for", "ARG X=1\nFROM a\nUSER x$X\n", {}, "x"],
  ["its own default before the global one", "ARG X=1\nFROM a\nARG X=3\nUSER $X\n", {}, "3"],
  ["a predefined one", "FROM a\nARG TARGETARCH\nUSER $TARGETARCH\n", {}, "amd64"],
  ["an earlier argument", `FROM a\nARG X=1\nARG Y=\${X}2\nUSER $Y\n`, {}, "12"],
  ["ENV after ARG", "FROM a\nARG X=1\nENV X=env\nUSER $X\n", { X: "2" }, "env"],
  ["ARG after ENV", "FROM a\nENV X=env\nARG X=arg\nUSER $X\n", {}, "arg"],
])("an argument with %s", (_, text, args, expected) => {
  expect(fields(text, "user", [], args).at(-1)).toBe(expected);
});

test("each instruction takes variables where it should", () => {
  const env = ["D=/dir", "U=me", "P=80 90/udp", "S=SIGINT"];
  expect(fields("FROM a\nWORKDIR $D/x\n", "path", env)).toEqual(["/dir/x"]);
  expect(fields(`FROM a\nVOLUME $D \${D}2\n`, "paths", env)).toEqual([["/dir", "/dir2"]]);
  expect(fields("FROM a\nEXPOSE $P 7000-7001/UDP 80\n", "ports", env)).toEqual([
    ["80/tcp", "90/udp", "7000/udp", "7001/udp"],
  ]);
  expect(fields("FROM a\nSTOPSIGNAL $S\n", "signal", env)).toEqual(["SIGINT"]);
  expect(fields("FROM a\nRUN echo $D\n", "line", env)).toEqual([{ form: "shell", text: "echo $D" }]);
  expect(fields('FROM a\nCMD ["$D"]\n', "line", env)).toEqual([{ form: "exec", arguments: ["$D"] }]);
  expect(fields(`FROM a\nRUN --mount=target=$D,source=\${D}s,type=bind x\n`, "mounts", env)).toEqual([
    [{ type: "bind", source: "/dirs", target: "/dir", readOnly: true }],
  ]);
  expect(applied("FROM a\nCOPY --chown=$U --chmod=0$S --exclude=$D $D/* $D/\n", env)).toMatchObject([
    { chown: "me", chmod: "0SIGINT", excludes: ["$D"], sources: ["/dir/*"], destination: "/dir/" },
  ]);
  expect(applied("FROM a\nCOPY <<A <<'B' /\n'$D' \\$D\nA\n$D\nB\n", env)).toMatchObject([
    { files: [{ content: "'/dir' $D\n" }, { content: "$D\n" }] },
  ]);
  expect(fields("FROM a\nLABEL a=\"$D\" b='$D' c=\\$D\n", "pairs", env)).toMatchObject([
    [{ value: "/dir" }, { value: "$D" }, { value: "$D" }],
  ]);
});

test("a stage on another goes on with its variables, and not the other way", () => {
  const { scope, commands } = scopeOf("FROM a\nARG X=1\nENV Y=2\nENV Z=$X$Y\n");
  const [arg, env, last] = commands;
  if (!arg || !env || !last) throw new Error("no commands");
  scope.apply(arg);
  const child = scope.derive();
  child.apply(env);
  child.apply(last);
  expect(child.environment).toEqual(["X=1", "Y=2", "Z=12"]);
  expect(scope.environment).toEqual(["X=1"]);
  expect(child.arguments).toEqual([["X", "1"]]);
});

test("proxies reach processes without ARG, the scanner's switches never", () => {
  const { scope, commands } = scopeOf("FROM a\nARG BUILDKIT_SBOM_SCAN_STAGE=true\n", [], { https_proxy: "p" });
  for (const command of commands) scope.apply(command);
  expect(scope.proxies).toEqual(["HTTPS_PROXY=p", "https_proxy=p"]);
  expect(scope.environment).toEqual([]);
});

test("variables without a value are told, but for declared ones", () => {
  const { scope, commands } = scopeOf("FROM a\nARG KNOWN\nUSER $KNOWN$OTHER\n");
  const unset: string[] = [];
  for (const command of commands) scope.apply(command, (name) => unset.push(name));
  expect(unset).toEqual(["OTHER"]);
});

test.each([
  ["EXPOSE 80 abc\n", "Invalid containerPort: abc", 2, 11],
  ["STOPSIGNAL FOO\n", "invalid signal: FOO", 2, 12],
  [`ENV A=1 \\\n B=\${A:~}\n`, `failed to process "\${A:~}": unsupported modifier (:~) in substitution`, 3, 4],
  ["VOLUME $NO\n", "VOLUME specified can not be an empty string", 2, 1],
  ["RUN --mount=type=foo x\n", 'unsupported mount type "foo"', 2, 5],
  ["RUN --mount=type=cahe,target=/a x\n", 'unsupported mount type "cahe" (did you mean cache?)', 2, 5],
  ["RUN --mount=type=bind,bar=1 x\n", "unexpected key 'bar' in 'bar=1'", 2, 5],
  ["RUN --mount=type=bind,mode=7 x\n", 'mode not allowed for "bind" type mounts', 2, 5],
  ["RUN --mount=type=secret x\n", "invalid secret mount. one of source, target required", 2, 5],
  ["RUN --mount=type=cache,target=/a,sharing=x x\n", 'unsupported sharing value "x"', 2, 5],
  ["RUN --mount=type=tmpfs,target=/a,size=x x\n", "invalid value for size: x", 2, 5],
  ["RUN --mount=type=bind,target x\n", "invalid field 'target' must be a key=value pair", 2, 5],
])("%j is refused: %s", (text, message, line, column) => {
  const error = (() => {
    try {
      applied(`FROM a\n${text}`, ["A=1"]);
    } catch (thrown) {
      return thrown;
    }
    throw new Error("it was not refused");
  })();
  if (!(error instanceof DockerfileError)) throw error;
  expect(error.message).toBe(message);
  expect(error.range.start).toEqual({ line, column });
});
