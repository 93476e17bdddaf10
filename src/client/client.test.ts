import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HavreError } from "../base/mod.ts";
import { parseAddress } from "./address.ts";
import { Client, formatQuery } from "./client.ts";
import { socketTransport } from "./socket.ts";

const folder = mkdtempSync(join(tmpdir(), "havre-client-"));
const path = join(folder, "test.sock");
const connections: Socket[] = [];
let server: Server;
const LARGE = 64 << 20;
/** Bytes of the large answer that the server got rid of, or nearly. */
let sent = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === "/missing") {
      response.writeHead(404, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ message: "No such container: x", hint: "Look again" }));
    } else if (request.url === "/upload") {
      let size = 0;
      request.on("data", (chunk: Buffer) => {
        size += chunk.byteLength;
      });
      request.on("end", () => response.end(JSON.stringify({ size })));
    } else if (request.url === "/early") {
      response.writeHead(400);
      response.end(JSON.stringify({ message: "not that" }));
    } else if (request.url === "/large") {
      sent = 0;
      const more = (): void => {
        while (sent < LARGE) {
          sent += 65_536;
          if (!response.write(Buffer.alloc(65_536, sent / 65_536))) return void response.once("drain", more);
        }
        response.end();
      };
      more();
    } else if (request.url === "/forever") response.write("{}\n");
    else response.end(JSON.stringify({ url: request.url, method: request.method }));
  });
  server.on("connection", (socket: Socket) => connections.push(socket));
  // Echoes what it is sent, and says more after the client has ended its half.
  server.on("upgrade", (_request, socket: Socket) => {
    socket.write("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello ");
    socket.on("data", (chunk) => socket.write(chunk));
    socket.on("end", () => socket.end(" goodbye"));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const makeClient = () => new Client(socketTransport(parseAddress(`unix://${path}`)));

async function* chunks(count: number, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at++) yield Buffer.alloc(size, at);
}

test("an answer that is read slowly makes the daemon wait, and comes whole", async () => {
  const client = makeClient();
  const { body } = await client.send("GET", "/large");
  let [size, sum, before] = [0, 0, -1];
  for await (const chunk of body) {
    if (size === 0) {
      // Nobody reads: what the server can send comes to an end by itself.
      while (before !== sent) {
        before = sent;
        for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
      }
      expect(sent).toBeLessThan(LARGE);
    }
    size += chunk.byteLength;
    sum += chunk.reduce((total, byte) => total + byte, 0);
  }
  expect(size).toBe(LARGE);
  expect(sum).toBe(Array.from({ length: 1024 }, (_, at) => ((at + 1) % 256) * 65_536).reduce((a, b) => a + b));
  expect(await client.json<object>("GET", "/next")).toEqual({ url: "/next", method: "GET" });
});

test("an answer that is left in the middle leaves the connection fit for the next", async () => {
  const client = makeClient();
  const { body } = await client.send("GET", "/large");
  for await (const _ of body) break;
  expect(await client.json<object>("GET", "/next")).toEqual({ url: "/next", method: "GET" });
});

describe("Client", () => {
  test("uses one connection for requests that follow each other", async () => {
    const before = connections.length;
    const client = makeClient();
    await client.connect();
    for (let at = 0; at < 5; at++)
      expect(await client.json<unknown>("GET", `/a${at}`)).toEqual({ url: `/a${at}`, method: "GET" });
    expect(connections.length - before).toBe(1);
    client.close();
  });

  test("an error answer is a HavreError with the kind of its status and the daemon's hint", async () => {
    const failure = await makeClient()
      .request("GET", "/missing")
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(HavreError);
    expect(failure).toMatchObject({
      kind: "not-found",
      message: "Error response from daemon: No such container: x",
      hint: "Look again",
    });
  });

  test("a kind that is accepted is no error", async () => {
    await makeClient().run("POST", "/missing", { accept: ["not-found"] });
  });

  test("nobody listening is told with the address", async () => {
    const client = new Client(socketTransport({ kind: "unix", path: join(folder, "nobody.sock") }));
    const failure = await client.json("GET", "/").catch((error: unknown) => error);
    expect(failure).toMatchObject({
      kind: "unavailable",
      message: expect.stringContaining("nobody.sock. Is it running?"),
    });
  });

  test("streams a body larger than any buffer", async () => {
    const answer = await makeClient().json<{ size: number }>("POST", "/upload", { body: chunks(200, 100_000) });
    expect(answer.size).toBe(20_000_000);
  });

  test("an answer that comes before the body is through is heard", async () => {
    const failure = await makeClient()
      .request("POST", "/early", { body: chunks(10, 1000) })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: "invalid-argument", message: "Error response from daemon: not that" });
  });

  test("after the input's end a hijacked stream still brings output", async () => {
    const stream = await makeClient().hijack("POST", "/attach");
    let output = "";
    const done = stream.read((chunk) => {
      output += Buffer.from(chunk).toString();
    });
    await stream.write(Buffer.from("ping"));
    stream.endInput();
    await done;
    expect(output).toBe("hello ping goodbye");
  });

  test("abort closes the connection", async () => {
    const controller = new AbortController();
    const answer = await makeClient().request("GET", "/forever", { signal: controller.signal });
    controller.abort();
    await expect(answer.text()).rejects.toMatchObject({ kind: "cancelled" });
  });
});

test("queries leave out what is undefined, repeat lists, write switches as Docker does", () => {
  expect(formatQuery({ all: true, none: undefined, off: false, names: ["a b", "c"], n: 3 })).toBe(
    "?all=1&off=0&names=a%20b&names=c&n=3",
  );
  expect(formatQuery({})).toBe("");
});

test.each([
  ["unix:///run/x.sock", { kind: "unix", path: "/run/x.sock" }],
  ["/run/x.sock", { kind: "unix", path: "/run/x.sock" }],
  ["tcp://10.0.0.1:99", { kind: "tcp", host: "10.0.0.1", port: 99 }],
  ["tcp://[::1]", { kind: "tcp", host: "::1", port: 2375 }],
] as const)("address %s", (text, address) => {
  expect(parseAddress(text)).toEqual(address);
});

test("an address of another kind is refused", () => {
  expect(() => parseAddress("ssh://host")).toThrow("unable to parse docker host `ssh://host`");
});
