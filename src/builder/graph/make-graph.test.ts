import { expect, test } from "bun:test";
import { digestOf } from "../../base/mod.ts";
import type { ImageConfig } from "../../spec/mod.ts";
import { parseDockerfile } from "../dockerfile/mod.ts";
import { endOf, stateOf } from "./graph.ts";
import { makeGraph } from "./make-graph.ts";
import { NO_LIMITS } from "./ops.ts";
import type { GraphOptions } from "./options.ts";
import { inOrder } from "./vertex.ts";

const AMD64 = { os: "linux", architecture: "amd64" };

function graphOf(
  text: string,
  more: Partial<GraphOptions> = {},
  bases: Readonly<Record<string, Partial<ImageConfig>>> = {},
) {
  const asked: string[] = [];
  const options: GraphOptions = {
    target: undefined,
    buildArgs: {},
    labels: {},
    noCache: false,
    platform: AMD64,
    buildPlatform: AMD64,
    network: "bridge",
    extraHosts: [],
    limits: NO_LIMITS,
    namedContexts: [],
    history: "buildkit",
    ...more,
  };
  const find = async (name: string) => {
    asked.push(name);
    const config: ImageConfig = {
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: [] },
      ...bases[name],
    };
    return { id: digestOf(name), name, config };
  };
  const file = { name: "Dockerfile", text };
  return makeGraph(parseDockerfile(file), options, find, new AbortController().signal).then((graph) => ({
    graph,
    asked,
  }));
}

const STAGES = `FROM one AS a
RUN make
FROM two AS unused
RUN never
FROM a
COPY --from=a /x /y
COPY --from=three /z /
RUN --mount=type=bind,from=four,target=/m --mount=type=cache,target=c true
`;

test("only what the target needs is in the graph, and only its images are looked for", async () => {
  const { graph, asked } = await graphOf(STAGES);
  expect(asked.toSorted()).toEqual(["four", "one", "three"]);
  const names = inOrder(endOf(graph.target)).map(({ name }) => name);
  expect(names).toEqual([
    "[a 1/2] FROM one",
    "[a 2/2] RUN make",
    "[stage-2 2/4] COPY --from=a /x /y",
    "FROM three",
    "[stage-2 3/4] COPY --from=three /z /",
    "FROM four",
    "[stage-2 4/4] RUN --mount=type=bind,from=four,target=/m --mount=type=cache,target=c true",
  ]);
  expect((await graphOf(STAGES, { target: "a" })).graph.stages).toHaveLength(1);
});

test("the history tells of steps in either builder's words", async () => {
  const text = `FROM base
ARG A=x
ENV B="c d"
RUN echo $A
WORKDIR srv
COPY . /all
CMD echo hi
`;
  const told = async (history: GraphOptions["history"]) => {
    const { graph } = await graphOf(text, { history, buildArgs: { A: "y" } });
    return stateOf(graph.target).history.map((item) => (item.kind === "made" ? item.createdBy : ""));
  };
  expect(await told("buildkit")).toEqual([
    "ARG A=y",
    "ENV B=c d",
    "RUN |1 A=y /bin/sh -c echo $A # buildkit",
    "WORKDIR /srv",
    "COPY . /all # buildkit",
    'CMD ["/bin/sh" "-c" "echo hi"]',
  ]);
  expect(await told("classic")).toEqual([
    "/bin/sh -c #(nop)  ARG A=x",
    "/bin/sh -c #(nop)  ENV B=c d",
    "|1 A=y /bin/sh -c echo $A",
    "/bin/sh -c #(nop) WORKDIR /srv",
    "/bin/sh -c #(nop) COPY . /all",
    '/bin/sh -c #(nop)  CMD ["/bin/sh" "-c" "echo hi"]',
  ]);
});

test("triggers of the base run first and are not handed on; a new entry point drops the base's command", async () => {
  const base = {
    base: { config: { OnBuild: ["COPY . /in", "RUN use"], Cmd: ["old"], Env: ["PATH=/p"], Labels: { a: "1" } } },
  };
  const { graph } = await graphOf('FROM base\nENTRYPOINT ["new"]\n', { labels: { b: "2" } }, base);
  expect(graph.target.steps.map(({ text, onBuild }) => `${onBuild} ${text}`)).toEqual([
    "true COPY . /in",
    "true RUN use",
    'false ENTRYPOINT ["new"]',
  ]);
  expect(stateOf(graph.target).config).toEqual({ Env: ["PATH=/p"], Labels: { a: "1", b: "2" }, Entrypoint: ["new"] });
});

test("proxies and limits reach a step beside what it is known by", async () => {
  const { graph } = await graphOf("FROM base\nRUN x\n", {
    buildArgs: { HTTP_PROXY: "http://p" },
    extraHosts: ["h:1.2.3.4"],
  });
  const { op } = endOf(graph.target);
  if (op.kind !== "exec") throw new Error("not a process");
  expect(op.env).toEqual(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
  expect(op.passingEnv).toEqual(["HTTP_PROXY=http://p", "http_proxy=http://p"]);
  expect(op.extraHosts).toEqual(["h:1.2.3.4"]);
});

test.each([
  ["FROM base\nCOPY x dir/\n", "/dir/"],
  ["FROM base\nWORKDIR /w\nCOPY x .\n", "/w/"],
  ["FROM base\nWORKDIR /w\nCOPY x y\n", "/w/y"],
  ["FROM base\nCOPY x /\n", "/"],
  ["FROM base\nCOPY x ../../up\n", "/up"],
])("the destination of %p is %s", async (text, destination) => {
  const { op } = endOf((await graphOf(text)).graph.target);
  expect(op).toMatchObject({ kind: "copy", destination });
});
