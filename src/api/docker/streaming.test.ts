import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Harness } from "./fixtures/harness.ts";
import { container } from "./fixtures/objects.ts";

let harness: Harness;
const PLAIN = "a1".repeat(32);
const TERMINAL = "a2".repeat(32);
beforeAll(async () => {
  harness = await Harness.start();
  harness.engine.add(container({ id: PLAIN, name: "plain", status: { state: "running" } }));
  harness.engine.add(container({ id: TERMINAL, name: "terminal", body: { Tty: true }, status: { state: "running" } }));
});
afterAll(() => harness[Symbol.asyncDispose]());

const UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
const post = (path: string, headers = UPGRADE, body = "") =>
  `POST ${path} HTTP/1.1\r\nHost: d\r\n${headers}\r\n${body}`;

function bodyOf(received: Buffer): Buffer {
  return received.subarray(received.indexOf("\r\n\r\n") + 4);
}

function framed(stream: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([stream, 0, 0, 0, 0, 0, 0, text.length]), Buffer.from(text)]);
}

async function newExec(tty: boolean): Promise<string> {
  const { json } = await harness.call("/v1.45/containers/plain/exec", {
    method: "POST",
    body: { Cmd: ["cat"], Tty: tty },
  });
  return String(json.Id);
}

async function untilStopped(what: string): Promise<void> {
  while (!harness.engine.stopped.includes(what)) await new Promise((resolve) => setImmediate(resolve));
}

describe("attach", () => {
  test("upgrades, multiplexes, and goes on after the client's half-close", async () => {
    const wire = await harness.connect();
    wire.send(post("/v1.45/containers/plain/attach?stdin=1&stdout=1&stderr=1&stream=1"));
    const head = (await wire.untilText("hello")).toString();
    expect(head).toStartWith("HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n");
    wire.send("input");
    await wire.untilText("input");
    wire.socket.end();
    const whole = bodyOf(await wire.untilEnd());
    expect(whole).toEqual(
      Buffer.concat([framed(1, "hello\n"), framed(1, "input"), framed(1, "input ended\n"), framed(2, "warning\n")]),
    );
    expect(harness.engine.seen.attach).toEqual({ stdin: true, stdout: true, stderr: true, logs: false, stream: true });
  });

  test("is raw on a terminal, and is called so before 1.42", async () => {
    for (const [version, name] of [
      ["1.45", "terminal"],
      ["1.41", "plain"],
    ]) {
      const wire = await harness.connect();
      wire.send(post(`/v${version}/containers/${name}/attach?stdout=1&stream=1`));
      expect((await wire.untilText("hello")).toString()).toContain(
        "Content-Type: application/vnd.docker.raw-stream\r\n",
      );
      wire.socket.destroy();
    }
  });

  test("answers without Upgrade on the bare connection", async () => {
    const wire = await harness.connect();
    wire.send(post("/v1.45/containers/terminal/attach?stdout=1&stream=1", "Content-Length: 0\r\n"));
    await wire.untilText("hello\n");
    const head = wire.received.toString();
    expect(head).toStartWith("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n");
    expect(head).not.toContain("chunked");
    expect(bodyOf(wire.received).toString()).toBe("hello\n");
  });

  test("refuses in plain text, as dockerd", async () => {
    const wire = await harness.connect();
    wire.send(post("/v1.45/containers/nosuch/attach?stdout=1&stream=1"));
    expect((await wire.untilEnd()).toString()).toBe(
      "HTTP/1.1 404 Not Found\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nNo such container: nosuch\r\n",
    );
  });

  test("is given up when the client goes away", async () => {
    const wire = await harness.connect();
    wire.send(post("/v1.45/containers/plain/attach?stdin=1&stdout=1&stream=1"));
    await wire.untilText("hello");
    const session = harness.engine.sessions.at(-1);
    wire.socket.destroy();
    await session?.disposed;
  });

  test("holds back a client that does not read, and loses nothing", async () => {
    const wire = await harness.connect();
    wire.send(post("/v1.45/containers/terminal/attach?stdin=1&stdout=1&stream=1"));
    await wire.untilText("hello\n");
    const session = harness.engine.sessions.at(-1);
    wire.socket.pause();
    const piece = "x".repeat(64 * 1024);
    for (let index = 0; index < 256; index++) session?.say(piece);
    session?.output.close();
    wire.socket.resume();
    expect(bodyOf(await wire.untilEnd()).length).toBe("hello\n".length + 256 * piece.length);
  });

  test("takes a hundred clients at once", async () => {
    const wires = await Promise.all(Array.from({ length: 100 }, () => harness.connect()));
    for (const wire of wires) wire.send(post("/v1.45/containers/terminal/attach?stdin=1&stdout=1&stream=1"));
    await Promise.all(wires.map((wire) => wire.untilText("hello\n")));
    for (const wire of wires) wire.send("x");
    await Promise.all(wires.map((wire) => wire.untilText("hello\nx")));
    expect((await harness.call("/_ping")).text).toBe("OK");
    for (const wire of wires) wire.socket.destroy();
  });
});

describe("exec", () => {
  test("reads its body before the streams begin", async () => {
    const wire = await harness.connect();
    const body = '{"Detach":false,"Tty":false}';
    const headers = `${UPGRADE}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
    wire.send(post(`/v1.45/exec/${await newExec(false)}/start`, headers, body));
    const head = (await wire.untilText("hello")).toString();
    expect(head).toStartWith("HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n");
    wire.send("in");
    await wire.untilText("in");
    wire.socket.end();
    expect(bodyOf(await wire.untilEnd())).toEqual(
      Buffer.concat([framed(1, "hello\n"), framed(1, "in"), framed(1, "input ended\n"), framed(2, "warning\n")]),
    );
  });

  test("is framed unless its start asks for a terminal, whatever it was created with", async () => {
    for (const [created, started] of [
      [true, false],
      [false, true],
    ] as const) {
      const wire = await harness.connect();
      const body = JSON.stringify({ Tty: started });
      const headers = `${UPGRADE}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
      wire.send(post(`/v1.45/exec/${await newExec(created)}/start`, headers, body));
      expect(bodyOf(await wire.untilText("hello\n"))).toEqual(started ? Buffer.from("hello\n") : framed(1, "hello\n"));
      wire.socket.destroy();
    }
  });

  test("that cannot start says so on its stream", async () => {
    const { json } = await harness.call("/v1.45/containers/plain/exec", { method: "POST", body: { Cmd: ["missing"] } });
    const wire = await harness.connect();
    wire.send(
      post(`/v1.45/exec/${json.Id}/start`, `${UPGRADE}Content-Type: application/json\r\nContent-Length: 2\r\n`, "{}"),
    );
    const text = 'exec: "missing": executable file not found in $PATH\r\n';
    expect(bodyOf(await wire.untilEnd())).toEqual(framed(1, text));
    const detached = await harness.call(`/v1.45/exec/${json.Id}/start`, { method: "POST", body: { Detach: true } });
    expect({ status: detached.status, json: detached.json }).toEqual({ status: 400, json: { message: text.trim() } });
  });

  test("detached answers at once", async () => {
    const { status, text } = await harness.call(`/v1.45/exec/${await newExec(false)}/start`, {
      method: "POST",
      body: { Detach: true },
    });
    expect({ status, text }).toEqual({ status: 200, text: "" });
  });

  test("needs a command, and an exec that is here", async () => {
    const none = await harness.call("/v1.45/containers/plain/exec", { method: "POST", body: {} });
    expect({ status: none.status, json: none.json }).toEqual({
      status: 400,
      json: { message: "No exec command specified" },
    });
    const missing = await harness.call("/v1.45/exec/nosuch/start", {
      method: "POST",
      body: {},
      headers: { Connection: "Upgrade", Upgrade: "tcp" },
    });
    expect({ status: missing.status, json: missing.json }).toEqual({
      status: 404,
      json: { message: "No such exec instance: nosuch" },
    });
  });
});

describe("attach by WebSocket", () => {
  test("carries both ways in binary messages", async () => {
    const wire = await harness.connect();
    wire.send(
      "GET /v1.45/containers/plain/attach/ws?stdin=1&stdout=1&stream=1 HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await wire.until((received) => received.includes("\x82\x06hello\n", 0, "latin1"));
    expect(wire.received.toString("latin1")).toContain("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    const mask = Buffer.from([1, 2, 3, 4]);
    const data = Buffer.from("hey").map((byte, index) => byte ^ (mask[index % 4] ?? 0));
    wire.send(Buffer.concat([Buffer.from([0x82, 0x83]), mask, data]));
    await wire.until((received) => received.includes("\x82\x03hey", 0, "latin1"));
    const session = harness.engine.sessions.at(-1);
    wire.socket.destroy();
    await session?.disposed;
  });
});

describe("wait", () => {
  test("sends its headers before the end, and the code when it comes", async () => {
    const wire = await harness.connect();
    wire.send(post("/v1.45/containers/plain/wait?condition=next-exit", ""));
    const head = (await wire.untilText("\r\n\r\n")).toString();
    expect(head).toStartWith("HTTP/1.1 200 OK");
    expect(head).not.toContain("StatusCode");
    harness.engine.exit(PLAIN, 7);
    await wire.untilText('{"StatusCode":7}\n');
    harness.engine.setStatus(PLAIN, { state: "running" });
  });

  test("refuses an unknown condition", async () => {
    const { status, json } = await harness.call("/v1.45/containers/plain/wait?condition=x", { method: "POST" });
    expect({ status, json }).toEqual({ status: 400, json: { message: 'invalid condition: "x"' } });
  });
});

describe("logs, stats and events", () => {
  test("logs are framed, typed and flushed at once; the reader that leaves stops them", async () => {
    const wire = await harness.connect();
    wire.send("GET /v1.45/containers/plain/logs?stdout=1&stderr=1&follow=1 HTTP/1.1\r\nHost: d\r\n\r\n");
    await wire.untilText("err\n");
    expect(wire.received.toString()).toContain("application/vnd.docker.multiplexed-stream");
    expect(wire.received.includes(framed(2, "err\n"))).toBeTrue();
    const lines = ["out\n", "\n", "more"].map((line) => framed(1, line));
    expect(wire.received.includes(Buffer.concat(lines))).toBeTrue();
    wire.socket.destroy();
    await untilStopped("logs");
  });

  test("who does not follow gets logs in large pieces", async () => {
    const wire = await harness.connect();
    wire.send("GET /v1.45/containers/plain/logs?stdout=1 HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n");
    expect((await wire.untilEnd()).includes(framed(1, "out\n\nmore"))).toBeTrue();
  });

  test("logs of no stream are refused", async () => {
    const { status, json } = await harness.call("/v1.45/containers/plain/logs");
    expect({ status, json }).toEqual({
      status: 400,
      json: { message: "Bad parameters: you must choose at least one stream" },
    });
  });

  test("events come as lines, filtered, live", async () => {
    const wire = await harness.connect();
    wire.send(`GET /v1.45/events?filters=${encodeURIComponent('{"event":["start"]}')} HTTP/1.1\r\nHost: d\r\n\r\n`);
    await wire.untilText("\r\n\r\n");
    const actor = { id: PLAIN, attributes: { image: "bb", name: "plain" } };
    harness.engine.events.emit({ type: "container", action: "create", actor });
    harness.engine.events.emit({ type: "container", action: "start", actor });
    await wire.untilText('"timeNano"');
    expect(wire.received.toString()).toContain(
      `{"status":"start","id":"${PLAIN}","from":"bb","Type":"container","Action":"start"`,
    );
    expect(wire.received.toString()).not.toContain('"Action":"create"');
    wire.socket.destroy();
    await untilStopped("events");
  });

  test("one sample of stats ends the answer", async () => {
    const { status, json } = await harness.call("/v1.45/containers/plain/stats?stream=0");
    expect(status).toBe(200);
    expect(json).toMatchObject({
      read: "0001-01-01T00:00:00Z",
      name: "/plain",
      id: PLAIN,
      memory_stats: {},
      pids_stats: {},
    });
  });
});

describe("archives", () => {
  test("the reader that leaves stops them, compressed or not", async () => {
    for (const encoding of ["identity", "gzip"]) {
      harness.engine.stopped.length = 0;
      const wire = await harness.connect();
      wire.send(
        `GET /v1.45/containers/plain/archive?path=/endless HTTP/1.1\r\nHost: d\r\nAccept-Encoding: ${encoding}\r\n\r\n`,
      );
      await wire.untilText("\r\n\r\n");
      wire.socket.destroy();
      await untilStopped("archive");
    }
  });

  test("stat header, get, put", async () => {
    const stat = await harness.call("/v1.45/containers/plain/archive?path=/etc", { method: "HEAD" });
    const header = Buffer.from(String(stat.headers["x-docker-container-path-stat"]), "base64").toString();
    expect(JSON.parse(header)).toEqual({
      name: "etc",
      size: 5,
      mode: 420,
      mtime: "2026-01-01T00:00:00Z",
      linkTarget: "",
    });
    const got = await harness.call("/v1.45/containers/plain/archive?path=/etc");
    expect({ text: got.text, type: got.headers["content-type"] }).toEqual({
      text: "tar of /etc",
      type: "application/x-tar",
    });
    expect(got.headers["x-docker-container-path-stat"]).toBeDefined();
    const bytes = Buffer.alloc(3_000_000, 7);
    const put = await harness.call("/v1.45/containers/plain/archive?path=/etc", { method: "PUT", body: bytes });
    expect({ status: put.status, bytes: harness.engine.seen.bytes }).toEqual({ status: 200, bytes: bytes.length });
  });

  test("errors", async () => {
    const noPath = await harness.call("/v1.45/containers/plain/archive");
    expect({ status: noPath.status, json: noPath.json }).toEqual({
      status: 400,
      json: { message: "bad parameter: pathcannot be empty" },
    });
    expect((await harness.call("/v1.45/containers/plain/archive?path=/missing", { method: "HEAD" })).status).toBe(404);
  });
});

describe("images in and out", () => {
  test("import streams its body and ends with the id", async () => {
    const { status, text } = await harness.call("/v1.45/images/create?fromSrc=-&repo=new&tag=1&changes=CMD%20sh", {
      method: "POST",
      body: "tar",
    });
    expect(status).toBe(200);
    expect(text).toBe(`{"status":"sha256:${"a".repeat(64)}"}\r\n`);
    expect(harness.engine.seen.import).toEqual({
      message: "Imported from -",
      changes: ["CMD sh"],
      repository: "new",
      tag: "1",
    });
  });

  test("an import that fails has its status, a load tells it in the stream", async () => {
    expect((await harness.call("/v1.45/images/create?fromSrc=-&repo=new", { method: "POST" })).status).toBe(400);
    const { status, text } = await harness.call("/v1.45/images/load", { method: "POST" });
    expect(status).toBe(200);
    expect(text).toEndWith('{"errorDetail":{"message":"The archive is empty"},"error":"The archive is empty"}\r\n');
  });

  test("import from an address, with progress; what the address refuses is refused", async () => {
    using web = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: ({ url }) => (url.endsWith("/root.tar") ? new Response("tar") : new Response("gone", { status: 404 })),
    });
    const ask = (path: string) =>
      harness.call(`/v1.45/images/create?fromSrc=${encodeURIComponent(`127.0.0.1:${web.port}/${path}`)}`, {
        method: "POST",
      });
    const { status, text } = await ask("root.tar");
    expect(status).toBe(200);
    expect(text.split("\r\n")).toEqual([
      `{"status":"Downloading from http://127.0.0.1:${web.port}/root.tar"}`,
      `{"status":"Importing","progressDetail":{"current":1,"total":3}}`,
      `{"status":"sha256:${"a".repeat(64)}"}`,
      "",
    ]);
    const refused = await ask("other.tar");
    expect([refused.status, refused.json]).toEqual([
      404,
      { message: `failed to GET http://127.0.0.1:${web.port}/other.tar with status 404 Not Found: gone` },
    ]);
  });

  test("load and save", async () => {
    const load = await harness.call("/v1.45/images/load", {
      method: "POST",
      body: "archive",
      headers: { "Content-Type": "application/x-tar" },
    });
    expect(load.text).toBe('{"stream":"Loaded image: bb:latest\\n"}\r\n');
    const save = await harness.call("/v1.45/images/get?names=bb&names=cc");
    expect({ text: save.text, type: save.headers["content-type"] }).toEqual({
      text: "bbcc",
      type: "application/x-tar",
    });
  });
});

describe("a client that goes away", () => {
  test("in the middle of its body is no end of the body", async () => {
    for (const framing of ["Content-Length: 1000\r\n", "Transfer-Encoding: chunked\r\n"]) {
      const wire = await harness.connect();
      const before = harness.engine.failedUploads.length;
      const piece = framing.startsWith("T") ? "5\r\nabcde\r\n" : "abcde";
      wire.send(`PUT /v1.45/containers/plain/archive?path=/ HTTP/1.1\r\nHost: d\r\n${framing}\r\n${piece}`);
      while (harness.engine.uploading !== 5) await new Promise((resolve) => setImmediate(resolve));
      wire.socket.destroy();
      while (harness.engine.failedUploads.length === before) await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await harness.call("/_ping")).text).toBe("OK");
  });
});
