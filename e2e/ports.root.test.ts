import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  askLine,
  Engine,
  HOST,
  NAMING_SERVER,
  OUTSIDE,
  TestDaemon,
  TwoHosts,
  until,
  useEngine,
} from "./harness/mod.ts";

setDefaultTimeout(60_000);

const hosts = new TwoHosts();
// Before the daemon, which starts in it.
beforeAll(() => hosts.make());
const engine = useEngine({ network: hosts.host });
afterAll(() => hosts[Symbol.asyncDispose]());
const { docker, ok } = { docker: engine.docker.bind(engine), ok: engine.ok.bind(engine) };

const TOOLS = ["/usr", "/lib", "/lib64"].flatMap((path) => ["-v", `${path}:${path}:ro`]);

/** Starts the naming server on port 80 and waits until it listens. */
async function serve(name: string, ...flags: string[]): Promise<void> {
  const script = engine.file("server.pl", NAMING_SERVER);
  const server = ["-v", `${script}:/server.pl:ro`, "bb", "/usr/bin/perl", "/server.pl", name, "80"];
  await ok(["run", "-d", "--name", name, ...TOOLS, ...flags, ...server]);
  await until("the server is ready", async () => (await ok(["logs", name])).includes("ready"));
}

type Protocol = "tcp" | "udp";
const fromOutside = (protocol: Protocol, address: string, port: number) =>
  hosts.in("outside", askLine(protocol, address, port));
const fromHost = (protocol: Protocol, address: string, port: number) =>
  hosts.in("host", askLine(protocol, address, port));
/** From inside a container that has the host's tools. */
const fromContainer = (name: string, protocol: Protocol, address: string, port: number) =>
  ok(["exec", name, "/usr/bin/bash", "-c", `PATH=/usr/bin; ${askLine(protocol, address, port)}`]);
const publish = (...bindings: string[]) =>
  bindings.flatMap((one) => ["tcp", "udp"].flatMap((protocol) => ["-p", `${one}/${protocol}`]));

/** Who gets which answer at a port, by both protocols. `name`: the container it leads to. */
async function matrix(port: number, name: string, gateway: string): Promise<Readonly<Record<string, string>>> {
  const neighbour = name === "address" ? "loopback" : "address";
  const questions = (["tcp", "udp"] as const).flatMap((protocol): [string, Promise<string>][] => [
    [`outside ${protocol}`, fromOutside(protocol, HOST.ipv4, port)],
    [`outside6 ${protocol}`, fromOutside(protocol, HOST.ipv6, port)],
    [`loopback ${protocol}`, fromHost(protocol, "127.0.0.1", port)],
    [`loopback6 ${protocol}`, fromHost(protocol, "::1", port)],
    [`host ${protocol}`, fromHost(protocol, HOST.ipv4, port)],
    [`host6 ${protocol}`, fromHost(protocol, HOST.ipv6, port)],
    [`itself ${protocol}`, fromContainer(name, protocol, HOST.ipv4, port)],
    [`neighbour ${protocol}`, fromContainer(neighbour, protocol, HOST.ipv4, port)],
    [`gateway ${protocol}`, fromContainer("everywhere", protocol, gateway, port)],
    [`stranger ${protocol}`, fromContainer("stranger", protocol, HOST.ipv4, port)],
  ]);
  const answers = await Promise.all(questions.map(async ([who, asked]) => [who, await asked] as const));
  return Object.fromEntries(answers.filter(([, answer]) => answer !== ""));
}

/** What the matrix is to be: who reaches `name`, and as whom they are seen. */
function reached(name: string, seen: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(seen).flatMap(([who, from]) => [
      [`${who} tcp`, `${name} tcp ${from}`],
      [`${who} udp`, `${name} udp ${from} 6`],
    ]),
  );
}

test("who reaches what, under every binding, and as whom they are seen", async () => {
  const gateway = await ok(["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]);
  await ok(["network", "create", "e2e-ports-other"]);
  try {
    await serve("everywhere", ...publish("8080:80"));
    await serve("loopback", ...publish("127.0.0.1:8081:80", "[::1]:8081:80"));
    await serve("address", ...publish(`${HOST.ipv4}:8082:80`));
    await serve("stranger", "--network", "e2e-ports-other");
    // Containers without IPv6 are reached by the relay, under the host's address; as is who must get its answer through the host.
    const [outside, host] = [OUTSIDE.ipv4, HOST.ipv4];
    const inside = { itself: gateway, neighbour: gateway, stranger: gateway };
    const relayed = { outside6: gateway, loopback6: gateway, host6: gateway };
    const [everywhere, own, address] = await Promise.all([
      matrix(8080, "everywhere", gateway),
      matrix(8081, "loopback", gateway),
      matrix(8082, "address", gateway),
    ]);
    expect(everywhere).toEqual(
      reached("everywhere", { outside, host, loopback: gateway, gateway, ...inside, ...relayed }),
    );
    expect(own).toEqual(reached("loopback", { loopback: gateway, loopback6: gateway }));
    expect(address).toEqual(reached("address", { outside, host, ...inside }));
  } finally {
    await engine.removeContainers();
    await ok(["network", "rm", "e2e-ports-other"]);
  }
});

test("IPv6 of a network that has it is translated as IPv4 is, the client's address kept", async () => {
  await ok([
    "network",
    "create",
    "--ipv6",
    "--subnet",
    "fd00:e2e:1::/64",
    "--subnet",
    "10.191.7.0/24",
    "e2e-ports-six",
  ]);
  try {
    await serve("six", "--network", "e2e-ports-six", ...publish("8080:80", `[${HOST.ipv6}]:8081:80`));
    await serve("neighbour", "--network", "e2e-ports-six");
    /** As whom each is seen; empty: not reached. */
    const ask = async (protocol: Protocol, port: number) => {
      const all = {
        outside: fromOutside(protocol, HOST.ipv6, port),
        outside4: fromOutside(protocol, HOST.ipv4, port),
        host: fromHost(protocol, HOST.ipv6, port),
        loopback: fromHost(protocol, "::1", port),
        itself: fromContainer("six", protocol, HOST.ipv6, port),
      };
      const answers = Object.entries(all).map(async ([who, answer]) => [who, (await answer).split(" ")[2] ?? ""]);
      return Object.fromEntries(await Promise.all(answers)) as Readonly<Record<keyof typeof all, string>>;
    };
    const six = { outside: OUTSIDE.ipv6, host: HOST.ipv6, itself: "fd00:e2e:1::1" };
    const both = { ...six, outside4: OUTSIDE.ipv4, loopback: "10.191.7.1" };
    const only = { ...six, outside4: "", loopback: "" };
    expect(await Promise.all([ask("tcp", 8080), ask("udp", 8080), ask("tcp", 8081), ask("udp", 8081)])).toEqual([
      both,
      both,
      only,
      only,
    ]);
    expect(await fromContainer("neighbour", "tcp", HOST.ipv6, 8080)).toStartWith("six tcp");
    await hosts.in(
      "host",
      `nft 'add table ip6 own' && nft 'add chain ip6 own in { type filter hook input priority 0; policy drop; }' &&
       nft 'add rule ip6 own in icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept'`,
    );
    try {
      expect(await fromOutside("tcp", HOST.ipv6, 8080)).toBe("");
      await hosts.in("host", "nft 'add rule ip6 own in tcp dport 8080 accept'");
      expect(await fromOutside("tcp", HOST.ipv6, 8080)).toBe(`six tcp ${OUTSIDE.ipv6}`);
    } finally {
      await hosts.in("host", "nft delete table ip6 own");
    }
  } finally {
    await engine.removeContainers();
    await ok(["network", "rm", "e2e-ports-six"]);
  }
});

test("a datagram in pieces comes through, the first of its conversation too", async () => {
  await serve("one", "-p", "8080:80/udp");
  const send = `exec 3<>/dev/udp/${HOST.ipv4}/8080 && head -c 5000 /dev/zero | dd bs=5000 count=1 iflag=fullblock >&3 2>/dev/null`;
  expect(await hosts.in("outside", `timeout 2 bash -c '${send} && head -n 1 <&3'`)).toBe(
    `one udp ${OUTSIDE.ipv4} 5000`,
  );
});

test("a client of UDP that never pauses is led where its port leads now", async () => {
  // A socket keeps its port, so the kernel takes all that it sends for one conversation.
  const client = `use strict; use Socket; $| = 1;
socket(my $s, PF_INET, SOCK_DGRAM, 0); my $to = sockaddr_in(8080, inet_aton("${HOST.ipv4}")); my $last = "";
my $end = time + 25;
while (time < $end) {
  send($s, "x", 0, $to); my $r = ""; vec($r, fileno($s), 1) = 1;
  next unless select($r, undef, undef, 0.02);
  next unless defined recv($s, my $answer, 100, 0);
  print $answer if $answer ne $last; $last = $answer; last if $answer =~ /^two/;
}`;
  const talking = hosts.in("outside", `timeout 30 perl -e '${client}'`);
  await until("it is tracked", async () =>
    (await hosts.in("host", "cat /proc/net/nf_conntrack")).includes("dport=8080"),
  );
  await serve("one", "-p", "8080:80/udp");
  await until("it reached the first", async () =>
    (await hosts.in("host", "cat /proc/net/nf_conntrack")).includes("sport=80 "),
  );
  await ok(["rm", "-f", "one"]);
  await serve("two", "-p", "8080:80/udp");
  expect(await talking).toBe(`one udp ${OUTSIDE.ipv4} 1\ntwo udp ${OUTSIDE.ipv4} 1`);
});

describe("a firewall of the host", () => {
  const deny = `nft -f - <<'RULES'
table inet own {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iifname "lo" accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    tcp dport 8081 accept
    ip saddr ${OUTSIDE.ipv4} udp dport 8081 accept
  }
}
RULES`;

  test("that denies a port is obeyed, unless the port was opened", async () => {
    await hosts.in("host", deny);
    try {
      await serve("denied", ...publish("8080:80"));
      await serve("allowed", ...publish("8081:80"));
      await serve("opened", ...publish("8082:80"), "--label", "havre.ports.open=80/tcp");
      const ask = (port: number) =>
        Promise.all([
          fromOutside("tcp", HOST.ipv4, port),
          fromOutside("udp", HOST.ipv4, port),
          fromOutside("tcp", HOST.ipv6, port),
        ]);
      const [denied, allowed, opened] = await Promise.all([ask(8080), ask(8081), ask(8082)]);
      expect(denied).toEqual(["", "", ""]);
      const relayed = expect.stringMatching(/^allowed tcp 10\./);
      expect(allowed).toEqual([`allowed tcp ${OUTSIDE.ipv4}`, `allowed udp ${OUTSIDE.ipv4} 6`, relayed]);
      // The relay is a process of the host: its port is the firewall's to open.
      expect(opened).toEqual([`opened tcp ${OUTSIDE.ipv4}`, "", ""]);
      // The host itself, and containers, need no leave of it.
      expect(await fromHost("tcp", "127.0.0.1", 8080)).toStartWith("denied tcp");
      expect(await fromContainer("allowed", "tcp", HOST.ipv4, 8080)).toStartWith("denied tcp");
    } finally {
      await hosts.in("host", "nft delete table inet own");
    }
  });

  test("that is loaded anew takes no port away for long", async () => {
    await serve("one", ...publish("8080:80"));
    const tables = () => hosts.in("host", "nft list tables | sort");
    const before = await tables();
    await hosts.in("host", "nft flush ruleset");
    const expected = `one tcp ${OUTSIDE.ipv4}`;
    await until("the port leads in again", async () => (await fromOutside("tcp", HOST.ipv4, 8080)) === expected);
    await until("all tables are back", async () => (await tables()) === before);
  });

  test("of iptables that drops what is forwarded, as Docker's does, lets published ports through", async () => {
    await hosts.in("host", "iptables -P FORWARD DROP");
    try {
      await serve("one", ...publish("8080:80"));
      const expected = `one tcp ${OUTSIDE.ipv4}`;
      await until("the port leads in", async () => (await fromOutside("tcp", HOST.ipv4, 8080)) === expected);
    } finally {
      await hosts.in("host", "iptables -P FORWARD ACCEPT");
    }
  });
});

describe("a port that is taken", () => {
  test("by a container", async () => {
    await ok(["run", "-d", "--name", "first", "-p", "8080:80", "bb", "sleep", "100"]);
    for (const binding of ["8080:80", "127.0.0.1:8080:80", "0.0.0.0:8080:80"]) {
      const { code, stderr } = await docker(["run", "--name", "second", "-p", binding, "bb", "true"]);
      expect(code).toBe(125);
      expect(stderr).toMatch(/driver failed programming external connectivity on endpoint second \([0-9a-f]{64}\): /);
      expect(stderr).toMatch(
        /Bind for (0\.0\.0\.0|127\.0\.0\.1):8080 failed: port is already allocated: container first has/,
      );
      expect(await ok(["inspect", "second", "--format", "{{.State.Status}} {{json .NetworkSettings.Ports}}"])).toBe(
        "created {}",
      );
      await ok(["rm", "second"]);
    }
    // Another protocol, and another address, are other ports.
    await ok(["run", "-d", "-p", "8080:80/udp", "bb", "sleep", "100"]);
    await ok(["rm", "-f", "first"]);
    await ok(["run", "-d", "-p", "127.0.0.1:8080:80", "-p", `${HOST.ipv4}:8080:81`, "bb", "sleep", "100"]);
  });

  test("by a process of the host", async () => {
    const listener = hosts.in("host", "timeout 20 busybox nc -l -p 8080 >/dev/null 2>&1 || true");
    await until("it listens", async () =>
      (await hosts.in("host", "cat /proc/net/tcp /proc/net/tcp6")).includes(":1F90 "),
    );
    const { stderr } = await docker(["run", "--name", "second", "-p", "8080:80", "bb", "true"]);
    expect(stderr).toMatch(
      /listen tcp4 0\.0\.0\.0:8080: bind: address already in use: busybox \(process \d+\) has port 8080\/tcp/,
    );
    // A range goes on with its next port.
    await ok(["run", "-d", "--name", "third", "-p", "8080-8081:80", "bb", "sleep", "100"]);
    expect(await ok(["port", "third", "80"])).toBe("0.0.0.0:8081\n[::]:8081");
    await hosts.in("host", "echo | busybox nc 127.0.0.1 8080 || true");
    await listener;
  });

  test("keeps processes of the host away", async () => {
    await ok(["run", "-d", "-p", "8080:80", "-p", "8080:80/udp", "bb", "sleep", "100"]);
    await expect(hosts.in("host", "timeout 2 busybox nc -l -p 8080")).rejects.toThrow("Address already in use");
  });
});

describe("what is shown", () => {
  test("ports at once after the start, none after the end", async () => {
    // biome-ignore format: flag and value side by side
    const flags = ["-p", "8080:80", "-p", "8080:80/udp", "-p", "8081-8083:81-83", "-p", "127.0.0.1::90", "-p", "[::1]:8099:80"];
    await ok(["run", "-d", "--name", "one", "--expose", "99", ...flags, "bb", "sleep", "100"]);
    const [random] = /\d+$/.exec(await ok(["port", "one", "90"])) ?? [];
    expect(Number(random)).toBeGreaterThanOrEqual(32768);
    expect(await ok(["port", "one"])).toBe(
      [
        "80/tcp -> 0.0.0.0:8080",
        "80/tcp -> [::1]:8099",
        "80/tcp -> [::]:8080",
        "80/udp -> 0.0.0.0:8080",
        "80/udp -> [::]:8080",
        ...[81, 82, 83].flatMap((port) => [`${port}/tcp -> 0.0.0.0:80${port}`, `${port}/tcp -> [::]:80${port}`]),
        `90/tcp -> 127.0.0.1:${random}`,
      ].join("\n"),
    );
    const { NetworkSettings, HostConfig } = await engine.inspect<{
      NetworkSettings: { Ports: unknown };
      HostConfig: { PortBindings: unknown };
    }>("one");
    expect(NetworkSettings.Ports).toMatchObject({
      "99/tcp": null,
      "80/udp": [
        { HostIp: "0.0.0.0", HostPort: "8080" },
        { HostIp: "::", HostPort: "8080" },
      ],
    });
    expect(HostConfig.PortBindings).toMatchObject({ "90/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] });
    expect(await ok(["ps", "--format", "{{.Ports}}", "--filter", "publish=8082"])).toContain("0.0.0.0:8082->82/tcp");
    await ok(["restart", "-t", "0", "one"]);
    expect(await ok(["port", "one", "90"])).toBe(`127.0.0.1:${random}`);
    await ok(["stop", "-t", "0", "one"]);
    expect(await ok(["port", "one"])).toBe("");
    expect(await ok(["inspect", "one", "--format", "{{json .NetworkSettings.Ports}}"])).toBe("{}");
    await ok(["run", "-d", "-p", "8080:80", "bb", "sleep", "100"]);
  });

  test("-P gives each exposed port one of the ephemeral range", async () => {
    await ok(["run", "-d", "--name", "one", "-P", "--expose", "90-91", "--expose", "92/udp", "bb", "sleep", "100"]);
    const lines = (await ok(["port", "one"])).split("\n");
    expect(lines.map((line) => line.replace(/\d+$/, "N"))).toEqual(
      ["90/tcp", "91/tcp", "92/udp"].flatMap((port) => [`${port} -> 0.0.0.0:N`, `${port} -> [::]:N`]),
    );
    expect(new Set(lines.map((line) => /\d+$/.exec(line)?.[0])).size).toBeLessThanOrEqual(3);
  });

  test("nothing for a container that has no way out", async () => {
    await ok(["network", "create", "--internal", "e2e-ports-internal"]);
    try {
      await ok([
        "run",
        "-d",
        "--name",
        "one",
        "--network",
        "e2e-ports-internal",
        "-p",
        "8080:80",
        "bb",
        "sleep",
        "100",
      ]);
      expect(await ok(["inspect", "one", "--format", "{{json .NetworkSettings.Ports}}"])).toBe("{}");
    } finally {
      await engine.removeContainers();
      await ok(["network", "rm", "e2e-ports-internal"]);
    }
  });

  test("what cannot be had is refused", async () => {
    const run = async (binding: string) => (await docker(["run", "--rm", "-p", binding, "bb", "true"])).stderr;
    expect(await run("198.51.100.1:8080:80")).toContain(
      "listen tcp4 198.51.100.1:8080: bind: cannot assign requested address",
    );
    const sctp = await hosts.in("host", "grep -c ^SCTP /proc/net/protocols || true");
    if (sctp === "0") expect(await run("8080:80/sctp")).toContain("protocol not supported");
  });
});

describe("havre port", () => {
  const port = async (...args: string[]) => {
    const { code, stdout, stderr } = await engine.havre(["port", ...args]);
    return code === 0 ? stdout.trimEnd() : stderr.trimEnd();
  };

  test("changes what a running container publishes, at once and for later starts", async () => {
    await serve("one", "-p", "8080:80");
    await ok(["run", "-d", "--name", "other", "-p", "8081:80", "bb", "sleep", "100"]);
    expect(await port("--publish", "127.0.0.1:9000:80", "--unpublish", "8080", "one")).toBe("80/tcp -> 127.0.0.1:9000");
    expect(await fromHost("tcp", "127.0.0.1", 9000)).toStartWith("one tcp");
    expect(await fromOutside("tcp", HOST.ipv4, 8080)).toBe("");
    // What cannot be had leaves everything as it was.
    expect(await port("--unpublish", "127.0.0.1:9000", "-p", "8081:80", "one")).toContain(
      "Bind for 0.0.0.0:8081 failed: port is already allocated",
    );
    expect(await fromHost("tcp", "127.0.0.1", 9000)).toStartWith("one tcp");
    expect(await port("--unpublish", "8080", "one")).toContain("Container one does not publish 8080/tcp");
    await ok(["restart", "-t", "0", "one"]);
    expect(await ok(["port", "one"])).toBe("80/tcp -> 127.0.0.1:9000");
    expect(await ok(["inspect", "one", "--format", "{{json .HostConfig.PortBindings}}"])).toBe(
      '{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"9000"}]}',
    );
  });

  test("goes on leading to a container that changes its networks", async () => {
    await ok(["network", "create", "e2e-ports-moved"]);
    try {
      await serve("one", ...publish("8080:80"));
      await ok(["network", "connect", "e2e-ports-moved", "one"]);
      await ok(["network", "disconnect", "bridge", "one"]);
      expect(await fromOutside("tcp", HOST.ipv4, 8080)).toBe(`one tcp ${OUTSIDE.ipv4}`);
      expect(await fromOutside("udp", HOST.ipv4, 8080)).toBe(`one udp ${OUTSIDE.ipv4} 6`);
      expect(await fromOutside("tcp", HOST.ipv6, 8080)).toStartWith("one tcp");
      await ok(["network", "disconnect", "e2e-ports-moved", "one"]);
      expect(await ok(["port", "one"])).toBe("");
      expect(await fromOutside("tcp", HOST.ipv4, 8080)).toBe("");
      await ok(["network", "connect", "bridge", "one"]);
      expect(await fromOutside("tcp", HOST.ipv4, 8080)).toBe(`one tcp ${OUTSIDE.ipv4}`);
    } finally {
      await engine.removeContainers();
      await ok(["network", "rm", "e2e-ports-moved"]);
    }
  });

  test("--who tells what the host's firewall says", async () => {
    await hosts.in(
      "host",
      `nft 'add table inet own' && nft 'add chain inet own in { type filter hook input priority 0; policy drop; }' &&
       nft 'add rule inet own in tcp dport 8081 accept' && nft 'add rule inet own in ip saddr 10.0.0.0/8 tcp dport 8082 accept'`,
    );
    try {
      const flags = ["8080:80", "8081:81", "8082:82", "127.0.0.1:8083:83"].flatMap((one) => ["-p", one]);
      await ok(["run", "-d", "--name", "one", ...flags, "--label", "havre.ports.open=99", "bb", "sleep", "100"]);
      await port("--open", "8084:84", "one");
      const reach = JSON.parse(await port("--who", "--json", "one")) as {
        readonly hostAddress: string;
        readonly hostPort: number;
        readonly clients: readonly { who: string; interfaceName?: string; verdict: string; addresses: string[] }[];
      }[];
      const ipv4 = reach.filter(({ hostAddress }) => !hostAddress.includes(":"));
      const outside = ipv4.map(({ hostPort, clients }) => {
        const found = clients.find(({ interfaceName }) => interfaceName === "up0");
        return `${hostPort} ${found?.verdict ?? "none"} ${found?.addresses.join() ?? ""}`.trimEnd();
      });
      expect(outside).toEqual([
        `8080 no ${HOST.ipv4}:8080`,
        `8081 yes ${HOST.ipv4}:8081`,
        `8082 some ${HOST.ipv4}:8082`,
        "8083 none",
        `8084 yes ${HOST.ipv4}:8084`,
      ]);
      const table = await port("--who", "one");
      expect(table).toMatch(/^PORT +PUBLISHED +WHO +AT +REACHES IT +WHY$/m);
      expect(table).toMatch(
        /outside \(up0\) +203\.0\.113\.1:8082 +some +the host's firewall lets it in for 10\.0\.0\.0\/8/,
      );
    } finally {
      await hosts.in("host", "nft delete table inet own");
    }
  });
});

test("ports outlive a killed daemon, and its successor gives them back", async () => {
  await serve("one", ...publish("8080:80"));
  await ok(["run", "-d", "--name", "brief", "-p", "8081:80", "bb", "sleep", "100"]);
  const pid = await ok(["inspect", "brief", "--format", "{{.State.Pid}}"]);
  await engine.own.kill();
  expect(await fromOutside("tcp", HOST.ipv4, 8080)).toBe(`one tcp ${OUTSIDE.ipv4}`);
  expect(await fromOutside("udp", HOST.ipv4, 8080)).toBe(`one udp ${OUTSIDE.ipv4} 6`);
  process.kill(Number(pid), "SIGKILL");
  await engine.own.start();
  expect(await fromOutside("tcp", HOST.ipv4, 8080)).toBe(`one tcp ${OUTSIDE.ipv4}`);
  expect(await fromOutside("tcp", HOST.ipv6, 8080)).toStartWith("one tcp");
  expect(await ok(["port", "one", "80/udp"])).toBe("0.0.0.0:8080\n[::]:8080");
  await until("the other's rules are gone", async () => !(await hosts.in("host", "nft list ruleset")).includes("8081"));
  await ok(["run", "-d", "-p", "8081:80", "bb", "sleep", "100"]);
});

test("ports lead in again when their bridge was deleted and made anew", async () => {
  await serve("one", ...publish("8080:80"));
  await hosts.in("host", `ip link del ${engine.own.bridge}`);
  expect(await fromOutside("tcp", HOST.ipv4, 8080)).toBe("");
  // The next container brings the bridge back.
  await ok(["run", "--rm", "bb", "true"]);
  expect(await fromOutside("tcp", HOST.ipv4, 8080)).toBe(`one tcp ${OUTSIDE.ipv4}`);
  expect(await fromHost("tcp", "127.0.0.1", 8080)).toStartWith("one tcp");
  expect(await fromContainer("one", "tcp", HOST.ipv4, 8080)).toStartWith("one tcp");
});

test("two daemons on one host leave each other's ports alone", async () => {
  const other = new TestDaemon({ network: hosts.host });
  const second = new Engine(other);
  try {
    await other.start();
    await second.loadBusybox();
    await serve("one", ...publish("8080:80"));
    const refused = await second.docker(["run", "-p", "8080:80", "bb", "true"]);
    expect(refused.stderr).toMatch(/bind: address already in use: havre \(process \d+\) has port 8080\/tcp/);
    await second.ok(["run", "-d", "-p", "8081:80", "bb", "httpd", "-f", "-p", "80"]);
    expect(await fromOutside("tcp", HOST.ipv4, 8080)).toBe(`one tcp ${OUTSIDE.ipv4}`);
    await second.removeContainers();
    await other.kill();
    expect(await fromOutside("tcp", HOST.ipv4, 8080)).toBe(`one tcp ${OUTSIDE.ipv4}`);
  } finally {
    if (!(await other.answers())) await other.start();
    await second.removeContainers();
    second.dispose();
    await other[Symbol.asyncDispose]();
  }
});
