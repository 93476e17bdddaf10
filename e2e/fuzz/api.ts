/** Every endpoint of a running daemon, with wrong paths, queries, headers and bodies. The daemon's host has no way out. */
import { dockerRoutes } from "../../src/api/docker/routes/mod.ts";
import type { UseCases } from "../../src/api/docker/use-cases.ts";
import { havreRoutes } from "../../src/api/havre/mod.ts";
import type { Random } from "../harness/random.ts";
import { FuzzedDaemon } from "./daemon.ts";
import { mutateBytes, mutateJson, mutateText } from "./mutate.ts";
import { encodeRequest, type Outcome, rawRequest, refuseMistakes, type Surface } from "./surface.ts";

/** Enough to be asked for the routes; no handler of theirs is called here. */
const ANYTHING: object = new Proxy(() => ANYTHING, { get: () => ANYTHING });
const NO_USE_CASES = ANYTHING as UseCases;

/** Endpoints that do as they are told at length: what they write or measure is the host's, by right of who may ask. */
const LEFT_OUT = /\/volumes\/backup|volume-schedules|catalogue\/build|network-advice|\/volumes\/restore/;

const ROUTES = [...dockerRoutes(NO_USE_CASES), ...havreRoutes(NO_USE_CASES)].filter(({ path }) => !LEFT_OUT.test(path));

const CREATE = {
  Image: "bb",
  Cmd: ["true"],
  Env: ["A=b"],
  Labels: { a: "b" },
  User: "1:1",
  WorkingDir: "/tmp",
  ExposedPorts: { "80/tcp": {} },
  Healthcheck: { Test: ["CMD", "true"], Interval: 1e9, Retries: 2 },
  StopSignal: "TERM",
  HostConfig: {
    Memory: 64 << 20,
    NanoCpus: 5e8,
    PidsLimit: 50,
    PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] },
    RestartPolicy: { Name: "on-failure", MaximumRetryCount: 1 },
    Mounts: [{ Type: "volume", Source: "fuzz", Target: "/data" }],
    Tmpfs: { "/run": "size=1m" },
    Ulimits: [{ Name: "nofile", Soft: 64, Hard: 64 }],
    CapAdd: ["NET_ADMIN"],
    ExtraHosts: ["a:10.0.0.1"],
    LogConfig: { Type: "json-file", Config: { "max-size": "1m" } },
    NetworkMode: "bridge",
    Init: true,
  },
  NetworkingConfig: { EndpointsConfig: { bridge: { Aliases: ["x"], IPAMConfig: {} } } },
};

const BODIES: Readonly<Record<string, unknown>> = {
  "/containers/create": CREATE,
  "/havre/v1/run": CREATE,
  "/containers/{name}/exec": { Cmd: ["echo", "x"], AttachStdout: true, Env: ["A=b"], User: "0" },
  "/havre/v1/exec": { Cmd: ["echo", "x"], AttachStdout: true },
  "/exec/{id}/start": { Detach: false, Tty: false },
  "/containers/{name}/update": { Memory: 64 << 20, RestartPolicy: { Name: "no" } },
  "/networks/create": {
    Name: "fuzz",
    Driver: "bridge",
    IPAM: { Config: [{ Subnet: "10.99.0.0/24", Gateway: "10.99.0.1" }] },
    Options: { "com.docker.network.bridge.name": "hvfuzz" },
    Labels: {},
  },
  "/networks/{id}/connect": { Container: "idle", EndpointConfig: { IPAMConfig: { IPv4Address: "10.99.0.7" } } },
  "/networks/{id}/disconnect": { Container: "idle", Force: true },
  "/volumes/create": { Name: "fuzz", Driver: "local", DriverOpts: { type: "tmpfs", device: "tmpfs", o: "size=1m" } },
  "/commit": { Cmd: ["true"], Labels: { a: "b" } },
  "/auth": { username: "a", password: "b", serveraddress: "127.0.0.1:1" },
};

const QUERY =
  "all limit size before since until filters force v link t signal condition name platform tag repo fromImage fromSrc path noOverwriteDirNonDir stdout stderr stdin stream follow timestamps tail one-shot ps_args h w detachKeys logs dangling digests noprune type dockerfile buildargs labels target q nocache pull rm networkmode cachefrom container comment author pause changes m names term id a b image reference kind".split(
    " ",
  );
const VALUES = [
  "1",
  "0",
  "true",
  "10",
  "idle",
  "bb",
  "bb:latest",
  "/tmp",
  "not-running",
  '{"label":["a=b"]}',
  '{"status":["running"]}',
];

export async function api(): Promise<Surface & AsyncDisposable & { pid: number }> {
  const daemon = await FuzzedDaemon.start();
  const parameter = (random: Random): string => {
    const known = random.pick(["idle", "bb", "fuzz", "bridge", "busybox", "volume", "bb:latest"]);
    return random.below(4) === 0 ? mutateText(known, random) : known;
  };
  return {
    pid: daemon.pid,
    async feed(random): Promise<Outcome> {
      const { method, path } = random.pick(ROUTES);
      const target = path.replace(/\{\w+(?:\.\.\.)?\}/g, () => encodeURIComponent(parameter(random)));
      const query = Array.from({ length: random.below(4) }, () => {
        const value = random.pick(VALUES);
        return `${random.pick(QUERY)}=${encodeURIComponent(random.below(2) ? value : mutateText(value, random))}`;
      });
      const version = random.pick(["", "/v1.45", "/v1.45", "/v1.24", "/v1.41", "/v9.99"]);
      const prefix = path.startsWith("/havre") ? "" : version;
      const seed = BODIES[path];
      let body: Buffer | undefined;
      if (seed !== undefined) body = Buffer.from(JSON.stringify(random.below(8) ? mutateJson(seed, random) : seed));
      else if (method !== "GET" && random.below(4) === 0) body = Buffer.from(JSON.stringify(mutateJson({}, random)));
      if (body && random.below(12) === 0) body = mutateBytes(body, random);
      const headers: Record<string, string> = { "Content-Type": random.below(20) ? "application/json" : "text/plain" };
      if (random.below(10) === 0)
        Object.assign(headers, { Connection: "Upgrade", Upgrade: random.pick(["tcp", "h2c", "websocket"]) });
      if (random.below(10) === 0)
        headers["X-Registry-Auth"] = Buffer.from(mutateText('{"username":"a"}', random)).toString("base64url");
      let request = encodeRequest(
        method,
        `${prefix}${target}${query.length ? "?" : ""}${query.join("&")}`,
        headers,
        body,
      );
      const whole = random.below(25) > 0;
      if (!whole) request = mutateBytes(request, random);
      const answer = await rawRequest({ path: daemon.socket }, request, whole);
      refuseMistakes(answer?.body ?? "", request);
      return answer && answer.status < 400 ? "taken" : "refused";
    },
    check: () => daemon.check(),
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}
