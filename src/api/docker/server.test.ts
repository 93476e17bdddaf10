import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { stat } from "node:fs/promises";
import { Harness } from "./fixtures/harness.ts";
import { container } from "./fixtures/objects.ts";
import { createApiServer } from "./server.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
  harness.engine.add(container({ id: "1".repeat(64), name: "one", body: { ExposedPorts: { "80/tcp": {} } } }));
});
afterAll(() => harness[Symbol.asyncDispose]());

describe("every answer", () => {
  test("carries the daemon's headers", async () => {
    const { status, headers, text } = await harness.call("/_ping");
    expect({ status, text }).toEqual({ status: 200, text: "OK" });
    expect(headers).toMatchObject({
      "api-version": "1.47",
      "docker-experimental": "false",
      ostype: "linux",
      server: "Havre/0.1.0 (linux)",
      swarm: "inactive",
      "builder-version": "2",
      "cache-control": "no-cache, no-store, must-revalidate",
      pragma: "no-cache",
    });
  });

  test("ping by HEAD has no body and says so", async () => {
    const { status, headers, text } = await harness.call("/_ping", { method: "HEAD" });
    expect({ status, text, length: headers["content-length"] }).toEqual({ status: 200, text: "", length: "0" });
  });

  test("unknown paths and methods are not found", async () => {
    for (const [method, path] of [
      ["POST", "/v1.45/nosuch"],
      ["PUT", "/containers/json"],
      ["GET", "/vx/info"],
      ["GET", "/"],
    ] as const) {
      const { status, json } = await harness.call(path, { method });
      expect({ path, status, json }).toEqual({ path, status: 404, json: { message: "page not found" } });
    }
  });

  test("paths are cleaned by sending the client elsewhere", async () => {
    const { status, headers } = await harness.call("/v1.45/containers//json?all=1");
    expect({ status, to: headers.location }).toEqual({ status: 301, to: "/v1.45/containers/json?all=1" });
    expect((await harness.call("/v1.45/images/../info")).headers.location).toBe("/v1.45/info");
  });

  test("options are nothing everywhere", async () => {
    const { status, text } = await harness.call("/v1.45/anything", { method: "OPTIONS" });
    expect({ status, text }).toEqual({ status: 200, text: "" });
  });

  test("survives an upgrade that nothing wants", async () => {
    const { status, text } = await harness.call("/_ping", { headers: { Connection: "Upgrade", Upgrade: "h2c" } });
    expect({ status, text }).toEqual({ status: 200, text: "OK" });
  });
});

describe("versions", () => {
  test("too new and too old are refused in Docker's words", async () => {
    const texts = {
      "1.99": "client version 1.99 is too new. Maximum supported API version is 1.47",
      "2": "client version 2 is too new. Maximum supported API version is 1.47",
      "1.23":
        "client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version",
      "1": "client version 1 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version",
    };
    for (const [version, message] of Object.entries(texts)) {
      const { status, json } = await harness.call(`/v${version}/info`);
      expect({ status, json }).toEqual({ status: 400, json: { message } });
    }
  });

  test("all from 1.24 to 1.47 are served", async () => {
    for (let minor = 24; minor <= 47; minor++) {
      const { status } = await harness.call(`/v1.${minor}/containers/json`);
      expect({ minor, status }).toEqual({ minor, status: 200 });
    }
  });
});

describe("errors", () => {
  test("have Docker's status and shape", async () => {
    const { status, json } = await harness.call("/v1.45/containers/nosuch/json");
    expect({ status, json }).toEqual({ status: 404, json: { message: "No such container: nosuch" } });
  });

  test("of a state that is there already have no body", async () => {
    harness.engine.add(container({ id: "2".repeat(64), name: "two", status: { state: "running" } }));
    const { status, text } = await harness.call("/containers/two/start", { method: "POST" });
    expect({ status, text }).toEqual({ status: 304, text: "" });
  });

  test("of a command that is missing are the request's", async () => {
    harness.engine.add(container({ id: "3".repeat(64), name: "three", body: { Cmd: ["missing"] } }));
    const { status, json } = await harness.call("/containers/three/start", { method: "POST" });
    expect(status).toBe(400);
    expect(json.message).toContain("executable file not found in $PATH");
  });

  test("of BuildKit's connections say what is missing", async () => {
    const plain = await harness.call("/v1.45/grpc", { method: "POST" });
    expect([plain.status, plain.json.message]).toEqual([400, "no upgrade proto in request"]);
    const other = { Connection: "Upgrade", Upgrade: "foo" };
    for (const [headers, message] of [
      [{}, "no upgrade proto in request"],
      [other, "protocol foo not supported"],
      [{ ...other, Upgrade: "h2c" }, "A session needs the header x-docker-expose-session-uuid"],
    ] as const) {
      const { status, json } = await harness.call("/v1.45/session", { method: "POST", headers });
      expect([status, json.message]).toEqual([400, message]);
    }
  });

  test("parts of Docker that are still to come say so", async () => {
    for (const [path, method] of [["/plugins/pull", "POST"]] as const) {
      const { status, json } = await harness.call(`/v1.45${path}`, { method });
      expect({ path, status }).toEqual({ path, status: 501 });
      expect(json.message).toContain("not implemented yet");
    }
  });

  test("a build is cancelled by its name, which must be said", async () => {
    const nameless = await harness.call("/v1.45/build/cancel", { method: "POST" });
    expect([nameless.status, nameless.json.message]).toEqual([400, "build ID not provided"]);
  });

  test("swarm answers as a node that is no manager", async () => {
    for (const noun of ["swarm", "services", "nodes", "tasks", "secrets", "configs"]) {
      const { status, json } = await harness.call(`/v1.45/${noun}`);
      expect(status).toBe(503);
      expect(json.message).toStartWith('This node is not a swarm manager. Use "docker swarm init"');
    }
  });
});

describe("bodies", () => {
  const create = (body: string, type = "application/json") =>
    harness.call("/v1.45/containers/create", { method: "POST", body, headers: { "Content-Type": type } });

  test("of the wrong type, or none, are refused in Docker's words", async () => {
    const texts: readonly (readonly [string, string, string])[] = [
      ["{}", "text/plain", "unsupported Content-Type header (text/plain): must be 'application/json'"],
      ["", "application/json", "invalid JSON: got EOF while reading request body"],
      ['{"Image":"bb"} {}', "application/json", "unexpected content after JSON"],
      ["{}", "application/json", "config cannot be empty in order to create a container"],
      ['{"Image":"nosuch"}', "application/json; charset=utf-8", "No such image: nosuch:latest"],
    ];
    for (const [body, type, message] of texts) expect((await create(body, type)).json).toEqual({ message });
  });

  test("beyond any sense are cut off", async () => {
    const { status, json } = await create(JSON.stringify({ Image: "bb", Env: ["x".repeat(17 * 1024 * 1024)] }));
    expect({ status, json }).toEqual({ status: 413, json: { message: "The request body is larger than 16 MiB" } });
    expect((await harness.call("/_ping")).text).toBe("OK");
  });

  test("reach the engine complete", async () => {
    const { status, json } = await create('{"Image":"bb","cmd":"ls","HostConfig":{"memory":1048576}}');
    expect(status).toBe(201);
    expect(json.Warnings).toEqual([]);
    expect(harness.engine.seen.create).toMatchObject({
      config: { Cmd: ["ls"], Env: null, Tty: false },
      hostConfig: { Memory: 1048576, NetworkMode: "bridge", Binds: null },
    });
  });
});

describe("commit", () => {
  const commit = (query: string, body?: string) =>
    harness.call(`/v1.45/commit?container=one${query}`, {
      method: "POST",
      ...(body === undefined ? {} : { body }),
      headers: { "Content-Type": "application/json" },
    });

  test("needs no body, and takes a configuration in it", async () => {
    expect(
      (await commit("&repo=new&tag=1&comment=why&author=me&pause=0&changes=CMD%20a&changes=USER%20b")).status,
    ).toBe(201);
    expect(harness.engine.seen.commit).toEqual({
      repository: "new",
      tag: "1",
      author: "me",
      comment: "why",
      pause: false,
      changes: ["CMD a", "USER b"],
    });
    expect((await commit("", '{"Cmd":["sh"]}')).status).toBe(201);
    expect(harness.engine.seen.commit).toMatchObject({ pause: true, config: { Cmd: ["sh"] } });
  });

  test("refuses a body that is none", async () => {
    const { status, json } = await commit("", "{");
    expect({ status, json }).toEqual({ status: 400, json: { message: "invalid JSON: unexpected EOF" } });
  });
});

describe("the socket", () => {
  test("has the mode it was asked to have", async () => {
    expect((await stat(harness.socketPath)).mode & 0o777).toBe(0o600);
  });

  test("is not taken from a daemon that serves it", async () => {
    const other = createApiServer(harness.engine);
    expect(other.listen(harness.socketPath, { mode: 0o600 })).rejects.toThrow("Another daemon serves");
    expect((await harness.call("/_ping")).text).toBe("OK");
  });
});
