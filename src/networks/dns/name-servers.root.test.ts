import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { decode, encode, type Packet } from "dns-packet";
import { silentLogger, systemClock } from "../../base/mod.ts";
import { connectDatagrams, connectStream, type NetworkNamespace } from "../../kernel/mod.ts";
import { parseResolvConf, type ResolverOverrides } from "../resolv-conf.ts";
import { makeBareSandbox } from "../sandboxes.ts";
import { enterTestHost, heldNamespaces, sh } from "../test-host.ts";
import { Rcode } from "./message.ts";
import { type NamedEndpoint, NameServers } from "./mod.ts";
import { askInside, type Behaviour, say, sendInside, type TestServer, testServer } from "./test-servers.ts";

setDefaultTimeout(30_000);

let host: Disposable;
let heldBefore: number;
let servers: NameServers;
let hostFile: string;
let wishes: ResolverOverrides;
let namespaces: NetworkNamespace[];
let upstreams: TestServer[];

function newServers(): NameServers {
  return new NameServers({
    clock: systemClock,
    log: silentLogger,
    hostResolver: () => parseResolvConf(hostFile, "/etc/resolv.conf"),
    wishesOf: () => wishes,
    isInternal: (id) => id === "internal",
    egress: { learn: () => {}, refuseName: () => {} },
  });
}

beforeEach(() => {
  heldBefore = heldNamespaces();
  host = enterTestHost();
  hostFile = "nameserver 127.0.0.1\n";
  wishes = {};
  namespaces = [];
  upstreams = [];
  servers = newServers();
});
afterEach(() => {
  servers.close();
  for (const server of upstreams) server[Symbol.dispose]();
  for (const namespace of namespaces) namespace[Symbol.dispose]();
  host[Symbol.dispose]();
  expect(heldNamespaces()).toBe(heldBefore);
});

function newNamespace(): NetworkNamespace {
  const namespace = makeBareSandbox();
  namespaces.push(namespace);
  return namespace;
}

const on = (networkName: string, ipAddress: string, dnsNames: readonly string[] = []): NamedEndpoint => ({
  networkId: networkName,
  networkName,
  ipAddress,
  ipv6Address: "",
  gateway: networkName === "internal" ? "" : "10.0.0.1",
  ipv6Gateway: "",
  dnsNames,
  links: [],
  prefixLength: 24,
  ipv6PrefixLength: 64,
});

/** A container with a name server. */
async function join(containerId: string, ...endpoints: readonly NamedEndpoint[]): Promise<NetworkNamespace> {
  const namespace = newNamespace();
  await servers.attached({ containerId, namespace, endpoints });
  return namespace;
}

async function upstream(
  namespace: NetworkNamespace | undefined,
  address: string,
  behaviour: Behaviour,
  transports?: readonly ("udp" | "tcp")[],
): Promise<TestServer> {
  const server = await testServer(namespace, address, behaviour, transports);
  upstreams.push(server);
  return server;
}

/** A program inside, while this process goes on answering. */
async function run(namespace: NetworkNamespace, line: string): Promise<string> {
  const child = Bun.spawn(["nsenter", `--net=${namespace.path}`, "sh", "-c", line], { stdout: "pipe" });
  return await new Response(child.stdout).text();
}

const dataOf = ({ answers = [] }: Packet) => answers.map((answer) => ("data" in answer ? answer.data : undefined));

test.each(["udp", "tcp"] as const)("containers find each other by name over %s", async (by) => {
  const inside = await join("c1", on("app", "10.0.0.2", ["web"]));
  await join("c2", on("app", "10.0.0.3", ["db", "store"]));
  for (const [name, address] of [
    ["web", "10.0.0.2"],
    ["store", "10.0.0.3"],
  ] as const)
    expect(dataOf(await askInside(inside, { name }, by))).toEqual([address]);
  servers.detached("c2");
  hostFile = "";
  expect(await askInside(inside, { name: "store" }, by)).toMatchObject({ rcode: "SERVFAIL", answers: [] });
});

test("a program that takes port 53 of all addresses lives beside the name server", async () => {
  const inside = await join("c1", on("app", "10.0.0.2", ["web"]));
  const own = await upstream(inside, "0.0.0.0", (query) => say(query, "192.0.2.1"));
  expect(dataOf(await askInside(inside, { name: "web" }))).toEqual(["10.0.0.2"]);
  expect(own.asked).toEqual([]);
  expect(await run(inside, "busybox nslookup -type=a anything.test 127.0.0.1")).toContain("192.0.2.1");
  expect(await run(inside, "busybox nslookup -type=a web 127.0.0.11")).toContain("10.0.0.2");
});

test("networks do not hear of each other's names", async () => {
  hostFile = "nameserver 127.0.0.1\n";
  const outside = await upstream(undefined, "127.0.0.1", (query) => say(query, "192.0.2.1", { flags: 3, answers: [] }));
  const one = await join("c1", on("app", "10.0.0.2", ["web"]));
  const two = await join("c2", on("other", "10.1.0.2", ["secret"]));
  expect(await askInside(one, { name: "secret" })).toMatchObject({ rcode: "NXDOMAIN" });
  expect(outside.asked.map(({ name }) => name)).toEqual(["secret"]);
  await servers.attached({
    containerId: "c2",
    namespace: two,
    endpoints: [on("other", "10.1.0.2", ["secret"]), on("app", "10.0.0.9", ["secret"])],
  });
  expect(dataOf(await askInside(one, { name: "secret" }))).toEqual(["10.0.0.9"]);
  expect(dataOf(await askInside(two, { name: "web" }))).toEqual(["10.0.0.2"]);
  await servers.attached({ containerId: "c2", namespace: two, endpoints: [on("other", "10.1.0.2", ["secret"])] });
  expect(await askInside(one, { name: "secret" })).toMatchObject({ rcode: "NXDOMAIN" });
});

test("a change that comes while a server is opened counts, and an end leaves nothing", async () => {
  const namespace = newNamespace();
  const endpoints = [on("app", "10.0.0.2", ["web"])];
  const attached = (also: readonly NamedEndpoint[]) =>
    servers.attached({ containerId: "c1", namespace, endpoints: [...endpoints, ...also] });
  await Promise.all([attached([]), attached([on("other", "10.1.0.2", ["far"])])]);
  expect(sh("ss -Hlntu", namespace.path).trim().split("\n").length).toBe(2);
  expect(dataOf(await askInside(namespace, { name: "far" }))).toEqual(["10.1.0.2"]);
  servers.detached("c1");
  const opening = attached([]);
  servers.detached("c1");
  await expect(opening).rejects.toThrow("ended before");
  expect(sh("ss -Hlntu", namespace.path)).toBe("");
});

test("a container on the default network has no name server, one that joins another as well gets it", async () => {
  const namespace = newNamespace();
  await servers.attached({ containerId: "c1", namespace, endpoints: [on("bridge", "172.17.0.2", ["web"])] });
  expect(sh("ss -Hlnu; nft list tables", namespace.path)).toBe("");
  const endpoints = [on("bridge", "172.17.0.2", ["web"]), on("app", "10.0.0.2", ["web"])];
  await servers.attached({ containerId: "c1", namespace, endpoints });
  expect(dataOf(await askInside(namespace, { name: "web" }))).toEqual(["10.0.0.2"]);
});

test("others' names are asked of the host's loopback server from the host, of others from the container", async () => {
  const inside = await join("c1", on("app", "10.0.0.2", ["web"]));
  await upstream(undefined, "127.0.0.1", (query) => say(query, "192.0.2.1"));
  await upstream(inside, "127.0.0.1", (query) => say(query, "192.0.2.2"));
  expect(dataOf(await askInside(inside, { name: "example.test" }))).toEqual(["192.0.2.1"]);
  wishes = { nameservers: ["127.0.0.1"] };
  await servers.attached({ containerId: "c1", namespace: inside, endpoints: [on("app", "10.0.0.2", ["web"])] });
  expect(dataOf(await askInside(inside, { name: "example.test" }))).toEqual(["192.0.2.2"]);
});

test("a container without a way out does not have the host ask for it", async () => {
  const outside = await upstream(undefined, "127.0.0.1", (query) => say(query, "192.0.2.1"));
  const inside = await join("c1", on("internal", "10.0.0.2", ["web"]));
  expect(await askInside(inside, { name: "example.test" })).toMatchObject({ rcode: "SERVFAIL" });
  expect(dataOf(await askInside(inside, { name: "web" }))).toEqual(["10.0.0.2"]);
  expect(outside.asked).toEqual([]);
});

test("lies are waited out: wrong number, wrong question, no reply at all", async () => {
  const inside = await join("c1", on("app", "10.0.0.2"));
  await upstream(undefined, "127.0.0.1", (query) => [
    Buffer.from("nonsense"),
    say(query, "192.0.2.66", { id: ((query.id ?? 0) + 1) % 65536 }),
    say(query, "192.0.2.66", { questions: [{ type: "A", name: "example.tesT.evil" }] }),
    say(query, "192.0.2.66", { type: "query" }),
    say(query, "192.0.2.1"),
  ]);
  expect(dataOf(await askInside(inside, { name: "example.test" }))).toEqual(["192.0.2.1"]);
});

test("each question goes out from another port under another number", async () => {
  const inside = await join("c1", on("app", "10.0.0.2"));
  const { asked } = await upstream(undefined, "127.0.0.1", (query) => say(query, "192.0.2.1"));
  await Promise.all(Array.from({ length: 50 }, (_, index) => askInside(inside, { name: `n${index}.test` })));
  expect(new Set(asked.map(({ id }) => id)).size).toBeGreaterThan(40);
  expect(new Set(asked.map(({ port }) => port)).size).toBeGreaterThan(40);
});

test("what is too long is cut, and comes whole over TCP", async () => {
  const answers = (query: Packet) =>
    Array.from({ length: 80 }, (_, index) => ({
      type: "A" as const,
      name: query.questions?.[0]?.name ?? "",
      data: `192.0.2.${index}`,
    }));
  const inside = await join("c1", on("app", "10.0.0.2"));
  const { asked } = await upstream(undefined, "127.0.0.1", (query, by) =>
    by === "udp" ? say(query, "", { flags: 0x0200, answers: [] }) : say(query, "", { answers: answers(query) }),
  );
  expect(await askInside(inside, { name: "long.test" })).toMatchObject({ flag_tc: true, answers: [] });
  expect((await askInside(inside, { name: "long.test" }, "tcp")).answers?.length).toBe(80);
  expect(asked.map(({ by }) => by)).toEqual(["udp", "tcp"]);
});

test("EDNS passes through in both directions", async () => {
  const inside = await join("c1", on("app", "10.0.0.2"));
  const option = { code: 10, data: Buffer.from("0123456789abcdef", "hex") };
  const opt = {
    type: "OPT" as const,
    name: "." as const,
    udpPayloadSize: 1400,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0x8000,
    flag_do: true,
    options: [option],
  };
  let heard: Packet | undefined;
  await upstream(undefined, "127.0.0.1", (query) => {
    heard = query;
    return say(query, "192.0.2.1", { additionals: query.additionals ?? [] });
  });
  const answer = await askInside(inside, { name: "signed.test", additionals: [opt] as Packet["additionals"] & {} });
  for (const packet of [heard, answer])
    expect(packet?.additionals?.[0]).toMatchObject({ udpPayloadSize: 1400, flag_do: true, options: [{ code: 10 }] });
});

test("a server that answers over TCP only is asked over TCP", async () => {
  const inside = await join("c1", on("app", "10.0.0.2"));
  const { asked } = await upstream(undefined, "127.0.0.1", (query) => say(query, "192.0.2.1"), ["tcp"]);
  expect(dataOf(await askInside(inside, { name: "example.test" }))).toEqual(["192.0.2.1"]);
  expect(asked.map(({ by }) => by)).toEqual(["tcp"]);
});

test("of two servers one may be dead, silent, failing or refusing", async () => {
  hostFile = "nameserver 127.0.0.2\nnameserver 127.0.0.1\n";
  const inside = await join("c1", on("app", "10.0.0.2"));
  await upstream(undefined, "127.0.0.1", (query) => say(query, "192.0.2.1"));
  expect(dataOf(await askInside(inside, { name: "dead.test" }))).toEqual(["192.0.2.1"]);
  const faulty = await upstream(undefined, "127.0.0.2", (query) => {
    const name = query.questions?.[0]?.name;
    if (name === "silent.test" || name === "again.test") return undefined;
    return say(query, "", { answers: [], flags: name === "failing.test" ? 2 : 5 });
  });
  for (const name of ["failing.test", "refusing.test", "silent.test", "again.test"])
    expect({ name, data: dataOf(await askInside(inside, { name })) }).toEqual({ name, data: ["192.0.2.1"] });
  // Once it was silent it is asked last.
  expect(faulty.asked.map(({ name }) => name)).toEqual(["failing.test", "refusing.test", "silent.test"]);
});

test("a datagram that was lost is sent again, and a name that does not exist is not asked for twice", async () => {
  const inside = await join("c1", on("app", "10.0.0.2"));
  const { asked } = await upstream(undefined, "127.0.0.1", (query) => {
    if (query.questions?.[0]?.name === "no.test") return say(query, "", { flags: 3, answers: [] });
    return asked.length === 1 ? undefined : say(query, "192.0.2.1");
  });
  expect(dataOf(await askInside(inside, { name: "lost.test" }))).toEqual(["192.0.2.1"]);
  expect(asked.length).toBe(2);
  expect(await askInside(inside, { name: "no.test" })).toMatchObject({ rcode: "NXDOMAIN" });
  expect(asked.length).toBe(3);
});

test("when nobody answers that is said before the program gives up", async () => {
  const inside = await join("c1", on("app", "10.0.0.2"));
  await upstream(undefined, "127.0.0.1", () => undefined);
  const begun = performance.now();
  expect(await askInside(inside, { name: "silent.test" })).toMatchObject({ rcode: "SERVFAIL" });
  expect(performance.now() - begun).toBeGreaterThan(4000);
});

test("questions that nobody answers do not pile up: beyond a thousand they are refused at once", async () => {
  const inside = await join("c1", on("app", "10.0.0.2", ["web"]));
  await upstream(undefined, "127.0.0.1", () => undefined);
  const refused = Promise.withResolvers<void>();
  const received = (bytes: Uint8Array) => {
    if (((bytes[3] ?? 0) & 15) === Rcode.refused) refused.resolve();
  };
  using socket = await connectDatagrams(inside, { address: "127.0.0.11", port: 53 }, received, () => {});
  const before = readdirSync("/proc/self/fd").length;
  for (let id = 0; id < 1100; id++) {
    socket.send(encode({ type: "query", id, questions: [{ type: "A", name: `n${id}.test` }] }));
    // Sent in one go they would be lost on the way, not refused.
    if (id % 50 === 0) await new Promise(setImmediate);
  }
  await refused.promise;
  expect(readdirSync("/proc/self/fd").length - before).toBeLessThan(1100);
  expect(dataOf(await askInside(inside, { name: "web" }))).toEqual(["10.0.0.2"]);
});

test("its own address as a server is left out, so that no question goes round in circles", async () => {
  wishes = { nameservers: ["127.0.0.11"] };
  const inside = await join("c1", on("app", "10.0.0.2"));
  expect(await askInside(inside, { name: "example.test" })).toMatchObject({ rcode: "SERVFAIL" });
});

test("with ndots set, names without a dot are left to the search domains", async () => {
  wishes = { options: ["ndots:1"] };
  const inside = await join("c1", on("app", "10.0.0.2", ["web"]));
  const { asked } = await upstream(undefined, "127.0.0.1", (query) => say(query, "192.0.2.1"));
  expect(await askInside(inside, { name: "short" })).toMatchObject({ rcode: "NOERROR", answers: [] });
  expect(dataOf(await askInside(inside, { name: "web" }))).toEqual(["10.0.0.2"]);
  expect(asked).toEqual([]);
});

test("a new daemon answers in the same namespace; until then questions wait instead of failing", async () => {
  const inside = await join("c1", on("app", "10.0.0.2", ["web"]));
  servers.close();
  expect(sh("ss -Hlnu", inside.path)).toBe("");
  const asking = run(inside, "busybox nslookup -type=a web 127.0.0.11");
  while (!sh("ss -Hnu", inside.path).includes("127.0.0.11:53")) await Bun.sleep(5);
  servers = newServers();
  await servers.attached({ containerId: "c1", namespace: inside, endpoints: [on("app", "10.0.0.2", ["web"])] });
  expect(dataOf(await askInside(inside, { name: "web" }))).toEqual(["10.0.0.2"]);
  expect(dataOf(await askInside(inside, { name: "web" }, "tcp"))).toEqual(["10.0.0.2"]);
  expect(await asking).toContain("10.0.0.2");
  expect(sh("nft list tables | wc -l", inside.path)).toBe("1\n");
});

test("the rules are what they are meant to be", async () => {
  const inside = await join("c1", on("app", "10.0.0.2", ["web"]));
  const [udp, tcp] = ["u", "t"].map((kind) => sh(`ss -Hln${kind}`, inside.path).match(/127\.0\.0\.11:(\d+)/)?.[1]);
  expect(sh("nft list table ip havre-names", inside.path).replaceAll(/\s+/g, " ")).toBe(
    `table ip havre-names { chain questions { type filter hook output priority raw; policy accept;
     ip daddr 127.0.0.11 udp dport 53 udp dport set ${udp}
     ip daddr 127.0.0.11 tcp dport 53 tcp dport set ${tcp} }
     chain arrivals { type filter hook input priority 300; policy accept;
     ip daddr 127.0.0.11 limit rate over 50000/second burst 5000 packets drop
     ip saddr 127.0.0.11 udp sport ${udp} udp sport set 53
     ip saddr 127.0.0.11 tcp sport ${tcp} tcp sport set 53 } } `.replaceAll(/\s+/g, " "),
  );
});

test("hostile bytes, and many connections, leave it answering", async () => {
  const inside = await join("c1", on("app", "10.0.0.2", ["web"]));
  const query = encode({ type: "query", id: 1, questions: [{ type: "A", name: "web" }] });
  const nonsense = [
    Buffer.alloc(0),
    Buffer.alloc(3000, 0xff),
    Buffer.concat([query.subarray(0, 12), Buffer.alloc(60_000, 0xc0)]),
  ];
  const server = { address: "127.0.0.11", port: 53 };
  const deaf = { data: () => {}, drain: () => {}, close: () => {} };
  for (const bytes of nonsense) {
    using datagrams = await connectDatagrams(
      inside,
      server,
      () => {},
      () => {},
    );
    datagrams.send(bytes);
    using connection = await connectStream(inside, server, 5000, deaf);
    connection.write(bytes);
  }
  // As many as it takes, and some that it has to turn away.
  const { promise: turnedAway, resolve } = Promise.withResolvers<void>();
  const held = await Promise.all(
    Array.from({ length: 80 }, () => connectStream(inside, server, 5000, { ...deaf, close: resolve })),
  );
  await turnedAway;
  for (const connection of held) connection[Symbol.dispose]();
  expect(dataOf(decode(await sendInside(inside, query, "udp")))).toEqual(["10.0.0.2"]);
  expect(dataOf(decode(await sendInside(inside, query, "tcp")))).toEqual(["10.0.0.2"]);
});

test("a program that asks and goes before the answer comes does no harm", async () => {
  const inside = await join("c1", on("app", "10.0.0.2", ["web"]));
  const { promise, resolve } = Promise.withResolvers<void>();
  await upstream(undefined, "127.0.0.1", (query) => {
    resolve();
    return say(query, "192.0.2.1");
  });
  const port = Number(sh("ss -Hlnu", inside.path).match(/127\.0\.0\.11:(\d+)/)?.[1]);
  // Straight to its port, so that the refusal finds its way back.
  for (const name of ["web", "example.test"]) {
    using socket = await connectDatagrams(
      inside,
      { address: "127.0.0.11", port },
      () => {},
      () => {},
    );
    socket.send(encode({ type: "query", id: 1, questions: [{ type: "A", name }] }));
  }
  await promise;
  expect(dataOf(await askInside(inside, { name: "example.test" }))).toEqual(["192.0.2.1"]);
  expect(dataOf(await askInside(inside, { name: "web" }))).toEqual(["10.0.0.2"]);
});

test("servers have IPv6 addresses too", async () => {
  const inside = await join("c1", on("app", "10.0.0.2", ["web"]));
  hostFile = "nameserver ::1\n";
  await upstream(undefined, "::1", (query) => say(query, "192.0.2.6"));
  for (const by of ["udp", "tcp"] as const)
    expect(dataOf(await askInside(inside, { name: "example.test" }, by))).toEqual(["192.0.2.6"]);
});

test("thousands of questions, a hundred at a time, are all answered and leave no memory and no descriptor", async () => {
  const inside = await join("c1", on("app", "10.0.0.2", ["web"]));
  await upstream(undefined, "127.0.0.1", (query) => say(query, "192.0.2.1"));
  const answered = new Set<number>();
  let changed = () => {};
  const received = (bytes: Uint8Array) => {
    answered.add(Buffer.from(bytes).readUInt16BE(0));
    changed();
  };
  using socket = await connectDatagrams(inside, { address: "127.0.0.11", port: 53 }, received, () => {});
  const askHundreds = async (name: string, hundreds: number) => {
    for (let round = 0; round < hundreds; round++) {
      answered.clear();
      for (let id = 0; id < 100; id++) socket.send(encode({ type: "query", id, questions: [{ type: "A", name }] }));
      while (answered.size < 100)
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
    }
    Bun.gc(true);
    return { memory: process.memoryUsage().rss, descriptors: readdirSync("/proc/self/fd").length };
  };
  await askHundreds("web", 10);
  const before = await askHundreds("example.test", 10);
  await askHundreds("web", 60);
  const after = await askHundreds("example.test", 30);
  expect(after.descriptors).toBe(before.descriptors);
  expect(after.memory - before.memory).toBeLessThan(24 * 1024 * 1024);
});
