import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { createSocket } from "node:dgram";
import { connect, createServer, type Server, type Socket } from "node:net";
import { silentLogger } from "../../base/mod.ts";
import { bindPort } from "../../kernel/mod.ts";
import { enterTestHost } from "../test-host.ts";
import { startRelay } from "./relay.ts";

setDefaultTimeout(20_000);

const PORT = 8080;
let host: Disposable;
let relay: Disposable | undefined;
let server: Server | undefined;

beforeEach(() => {
  host = enterTestHost();
});
afterEach(() => {
  relay?.[Symbol.dispose]();
  server?.close();
  server = undefined;
  host[Symbol.dispose]();
});

/** A relay in front of a server that lives at IPv4's loopback, where containers are in life. */
async function relayTo(serve: (client: Socket) => void): Promise<void> {
  const inside = createServer({ allowHalfOpen: true }, serve);
  server = inside;
  await new Promise<void>((resolve) => inside.listen(0, "127.0.0.1", resolve));
  const address = inside.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const socket = bindPort({ protocol: "tcp", address: new Uint8Array(16), port: PORT, deaf: false });
  relay = startRelay("tcp", socket, () => ({ address: "127.0.0.1", port }), silentLogger);
}

function collect(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    socket.on("data", (data: Buffer) => chunks.push(data));
    socket.once("end", () => resolve(Buffer.concat(chunks)));
    socket.once("error", reject);
  });
}

test("carries megabytes both ways, and an end of input on its own", async () => {
  await relayTo((client) => client.pipe(client));
  const sent = Buffer.alloc(8_000_000, "0123456789abcdef\n");
  const client = connect({ host: "::1", port: PORT, allowHalfOpen: true });
  const received = collect(client);
  client.end(sent);
  expect((await received).equals(sent)).toBe(true);
});

test("a server that ends first is heard to the end", async () => {
  await relayTo((client) => client.end("goodbye"));
  expect((await collect(connect({ host: "::1", port: PORT }))).toString()).toBe("goodbye");
});

test("a client that is cut off takes the server's side with it", async () => {
  const closed = Promise.withResolvers<void>();
  const seen = Promise.withResolvers<void>();
  await relayTo((client) => {
    client.on("error", () => {});
    client.once("close", () => closed.resolve());
    client.once("data", () => seen.resolve());
  });
  const client = connect({ host: "::1", port: PORT });
  client.write("hello");
  await seen.promise;
  client.resetAndDestroy();
  await closed.promise;
});

test("a container that does not listen ends the client's connection", async () => {
  await relayTo(() => {});
  await new Promise((resolve) => server?.close(resolve));
  const client = connect({ host: "::1", port: PORT });
  client.on("error", () => {});
  await new Promise((resolve) => client.once("close", resolve));
});

test("ends everything and frees the port when it is disposed", async () => {
  await relayTo((client) => client.write("hello"));
  const client = connect({ host: "::1", port: PORT });
  client.on("error", () => {});
  await new Promise((resolve) => client.once("data", resolve));
  relay?.[Symbol.dispose]();
  await new Promise((resolve) => client.once("close", resolve));
  bindPort({ protocol: "tcp", address: new Uint8Array(16), port: PORT, deaf: false })[Symbol.dispose]();
});

test("answers of UDP find the client that asked", async () => {
  const inside = createSocket("udp4");
  inside.on("message", (message, { port }) => inside.send(`${message} back`, port, "127.0.0.1"));
  await new Promise<void>((resolve) => inside.bind(0, "127.0.0.1", resolve));
  const socket = bindPort({ protocol: "udp", address: new Uint8Array(16), port: PORT, deaf: false });
  relay = startRelay("udp", socket, () => ({ address: "127.0.0.1", port: inside.address().port }), silentLogger);
  const clients = ["one", "two", "three"].map((name) => ({ name, socket: createSocket("udp6") }));
  const answers = clients.map(
    (client) =>
      new Promise<string>((resolve) => client.socket.once("message", (message) => resolve(message.toString()))),
  );
  for (const client of clients) client.socket.send(client.name, PORT, "::1");
  expect(await Promise.all(answers)).toEqual(["one back", "two back", "three back"]);
  for (const client of clients) client.socket.close();
  inside.close();
});
