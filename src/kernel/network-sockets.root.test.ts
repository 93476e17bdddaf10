import { expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import {
  bindDatagrams,
  connectDatagrams,
  connectStream,
  createNetworkNamespace,
  dropPacket,
  listenStreams,
  matchField,
  matchRateOver,
  type NetworkNamespace,
  replaceTable,
  setLink,
} from "./mod.ts";

const DESTINATION = { header: "network", offset: 16, length: 4 } as const;
const deaf = { data: () => {}, drain: () => {}, close: () => {} };

function newNamespace(): NetworkNamespace {
  const { namespace, socket } = createNetworkNamespace();
  socket.transact([setLink("lo", { up: true })]);
  socket[Symbol.dispose]();
  return namespace;
}

const run = (namespace: NetworkNamespace, ...words: readonly string[]) =>
  execFileSync("nsenter", [`--net=${namespace.path}`, ...words], { encoding: "utf8" });

test.each(["127.0.0.1", "::1"])("sockets at %s are those of the namespace, on this event loop", async (address) => {
  using one = newNamespace();
  using other = newNamespace();
  using datagrams = await bindDatagrams(one, address, (bytes, from) => datagrams.send(bytes, from));
  using streams = listenStreams(one, address, (socket) => ({ ...deaf, data: (bytes) => void socket.write(bytes) }));
  const { promise: echo, resolve: heard } = Promise.withResolvers<string>();
  using sender = await connectDatagrams(
    one,
    { address, port: datagrams.port },
    (bytes) => heard(String(Buffer.from(bytes))),
    () => {},
  );
  sender.send(Buffer.from("over udp"));
  expect(await echo).toBe("over udp");
  const { promise: line, resolve: read } = Promise.withResolvers<string>();
  const data = (bytes: Uint8Array) => read(String(Buffer.from(bytes)));
  using connection = await connectStream(one, { address, port: streams.port }, 5000, { ...deaf, data });
  connection.write(Buffer.from("over tcp"));
  expect(await line).toBe("over tcp");
  expect(run(one, "ss", "-Hlntu")).toContain(`:${datagrams.port}`);
  expect(run(other, "ss", "-Hlntu")).toBe("");
  const { promise: refused, resolve: failed } = Promise.withResolvers<void>();
  using stranger = await connectDatagrams(other, { address, port: datagrams.port }, () => {}, failed);
  stranger.send(Buffer.from("anyone?"));
  await refused;
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  using _refused = await connectStream(other, { address, port: streams.port }, 5000, { ...deaf, close });
  await closed;
});

test("a connection that nobody answers is given up in time, and at once when it is not wanted", async () => {
  using namespace = newNamespace();
  const rules = [[...matchField(DESTINATION, Uint8Array.of(127, 0, 0, 9)), ...dropPacket()]];
  replaceTable(namespace, "hole", [{ name: "in", hook: "input", priority: 0, rules }]);
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const hole = { address: "127.0.0.9", port: 53 };
  using _waiting = await connectStream(namespace, hole, 1000, { ...deaf, close });
  const unwanted = await connectStream(namespace, hole, 600_000, deaf);
  const asking = () => run(namespace, "ss", "-Hnt").split("\n").length - 1;
  expect(asking()).toBe(2);
  unwanted[Symbol.dispose]();
  expect(asking()).toBe(1);
  await closed;
  expect(asking()).toBe(0);
});

test("no thread of this process stays in a namespace where it opened sockets", async () => {
  using namespace = newNamespace();
  const sockets = await Promise.all(
    Array.from({ length: 50 }, async () => [
      await bindDatagrams(namespace, "127.0.0.1", () => {}),
      listenStreams(namespace, "127.0.0.1", () => deaf),
      await connectDatagrams(
        namespace,
        { address: "127.0.0.1", port: 9 },
        () => {},
        () => {},
      ),
    ]),
  );
  Bun.gc(true);
  const inside = readlinkSync(`/proc/self/fd/${namespace.fd}`);
  const threads = readdirSync("/proc/self/task").map((id) => readlinkSync(`/proc/self/task/${id}/ns/net`));
  expect(inside).toMatch(/^net:/);
  expect(threads).not.toContain(inside);
  for (const socket of sockets.flat()) socket[Symbol.dispose]();
});

test("what is too long for a datagram is not sent, and what comes back from a closed port harms nobody", async () => {
  using namespace = newNamespace();
  const { promise, resolve } = Promise.withResolvers<boolean[]>();
  using datagrams = await bindDatagrams(namespace, "127.0.0.1", (_bytes, from) =>
    resolve([datagrams.send(Buffer.alloc(65_535), from), datagrams.send(Buffer.alloc(10), from)]),
  );
  const sender = await connectDatagrams(
    namespace,
    { address: "127.0.0.1", port: datagrams.port },
    () => {},
    () => {},
  );
  sender.send(Buffer.from("x"));
  sender[Symbol.dispose]();
  expect(await promise).toEqual([false, true]);
});

test("a table is made, made anew in its place, and left alone when the change is refused", () => {
  using namespace = newNamespace();
  const chain = (name: string, address: number) => ({
    name,
    hook: "output" as const,
    priority: 5,
    rules: [[...matchField(DESTINATION, Uint8Array.of(10, 0, 0, address)), ...matchRateOver(7, 9), ...dropPacket()]],
  });
  replaceTable(namespace, "t", [chain("one", 1)]);
  const first = run(namespace, "nft", "list", "ruleset");
  expect(first.replaceAll(/\s+/g, " ")).toContain(
    "chain one { type filter hook output priority filter + 5; policy accept; ip daddr 10.0.0.1 limit rate over 7/second burst 9 packets drop }",
  );
  replaceTable(namespace, "t", [chain("two", 2)]);
  const second = run(namespace, "nft", "list", "ruleset");
  expect(second).toContain("10.0.0.2");
  expect(second).not.toContain("10.0.0.1");
  expect(() => replaceTable(namespace, "t", [chain("three", 3), chain("x".repeat(300), 4)])).toThrow("netlink");
  expect(run(namespace, "nft", "list", "ruleset")).toBe(second);
});
