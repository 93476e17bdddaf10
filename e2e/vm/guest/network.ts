import { equal, match, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { run } from "../../harness/process.ts";
import { eventually, type Lab } from "./lab.ts";

const OURS = "198.51.100.1";
const THEIRS = "198.51.100.2";
/** On the VLAN. */
const BEYOND = "192.0.2.1";

/** Tells whoever connects which address it came from. */
const SERVER = `require("node:net").createServer((peer) => peer.end(peer.remoteAddress + "\\n")).listen(80, "0.0.0.0", () => console.log("listening"))`;

/** Tells each client of SCTP (one-to-one, RFC 6458, 4) its address; with it Debian's smallest system can. */
const SCTP_SERVER = `use Socket; socket(S, AF_INET, SOCK_STREAM, 132) or die "socket: $!"; bind(S, sockaddr_in(9899, INADDR_ANY)) or die $!;
listen(S, 5) or die $!; $| = 1; print "ready\\n";
while ($peer = accept(C, S)) { my ($port, $address) = sockaddr_in($peer); syswrite(C, inet_ntoa($address) . "\\n"); close(C) }`;
const SCTP_CLIENT = `use Socket; socket(S, AF_INET, SOCK_STREAM, 132) or die "socket: $!";
connect(S, sockaddr_in(9899, inet_aton($ARGV[0]))) or die "connect: $!"; sysread(S, $said, 100); print $said`;

export async function checkNetwork(lab: Lab): Promise<void> {
  const check = lab.check.bind(lab);
  await check("two containers of the default bridge reach each other", async () => {
    await lab.ok("run", "-d", "--name", "left", "bb", "sleep", "1000");
    await lab.ok("run", "-d", "--name", "right", "bb", "sleep", "1000");
    const [left, right] = [await address(lab, "left"), await address(lab, "right")];
    ok(
      left !== right && left.startsWith(lab.daemon.subnet.slice(0, lab.daemon.subnet.lastIndexOf("."))),
      `${left} ${right}`,
    );
    match(await lab.ok("exec", "left", "ping", "-c", "1", "-W", "5", right), /1 packets received/);
    match(
      await lab.ok("exec", "left", "ip", "-4", "addr", "show", "eth0"),
      new RegExp(`inet ${left.replaceAll(".", "\\.")}/24`),
    );
  });
  await check("what goes outwards has the host's address", async () => {
    const rules = await run("nft", ["list", "ruleset"]);
    match(rules.stdout, /masquerade/);
    await outside(async () => {
      match(await lab.ok("exec", "left", "ping", "-c", "1", "-W", "5", THEIRS), /1 packets received/);
      equal(await lab.ok("exec", "left", "nc", "-w", "10", THEIRS, "80"), OURS);
    });
  });
  await check("a published port is reached by the host, and from outside if the host's firewall lets it", async () => {
    await lab.ok("run", "-d", "--name", "web", "-p", "8080:80", "bb", "nc", "-ll", "-p", "80", "-e", "echo", "hello");
    const ask = "exec 3<>/dev/tcp/HOST/8080 && head -n 1 <&3";
    const here = (host: string) => run("timeout", ["10", "bash", "-c", ask.replace("HOST", host)]);
    await outside(async () => {
      const there = () =>
        run("ip", ["netns", "exec", "outside", "timeout", "5", "bash", "-c", ask.replace("HOST", OURS)]);
      for (const host of ["127.0.0.1", OURS, "::1"]) equal((await here(host)).stdout, "hello\n", host);
      equal((await there()).stdout, "hello\n");
      await command("nft", "add table ip own; add chain ip own in { type filter hook input priority 0; policy drop; }");
      equal((await there()).stdout, "");
      await command("nft", "add rule ip own in tcp dport 8080 accept");
      equal((await there()).stdout, "hello\n");
      await command("nft", "delete table ip own");
    });
    await lab.ok("rm", "-f", "web");
  });
  await check("none has no interface but lo, host has the host's", async () => {
    equal(await lab.ok("run", "--rm", "--net", "none", "bb", "ls", "/sys/class/net"), "lo");
    match(await lab.ok("run", "--rm", "--net", "host", "bb", "ls", "/sys/class/net"), new RegExp(lab.daemon.bridge));
  });
  await lab.ok("rm", "-f", "left", "right");
  await check("macvlan lies on a VLAN that is made for it and goes with it", async () => {
    await outside(async () => {
      await command("ip", "-n", "outside", "link", "add", "link", "far", "name", "far.10", "type", "vlan", "id", "10");
      await command("ip", "-n", "outside", "addr", "add", `${BEYOND}/24`, "dev", "far.10");
      await command("ip", "-n", "outside", "link", "set", "far.10", "up");
      const there = ["network", "create", "-d", "macvlan", "-o", "parent=near.10", "--subnet", "192.0.2.0/24"];
      await lab.ok(...there, "--gateway", BEYOND, "wire");
      await lab.ok("run", "-d", "--name", "tagged", "--network", "wire", "--ip", "192.0.2.7", "bb", "sleep", "1000");
      match(await lab.ok("exec", "tagged", "ping", "-c", "1", "-W", "5", BEYOND), /1 packets received/);
      match((await run("ip", ["-d", "link", "show", "near.10"])).stdout, /vlan protocol 802.1Q id 10/);
      const found = await run("ip", ["netns", "exec", "outside", "busybox", "ping", "-c", "1", "-W", "5", "192.0.2.7"]);
      match(found.stdout, /1 packets received/);
      await lab.ok("rm", "-f", "tagged");
      await lab.ok("network", "rm", "wire");
      equal((await run("ip", ["link", "show", "near.10"])).code, 1);
    });
  });
  await check("a port of SCTP is published, and the client's address kept", async () => {
    const tools = ["/usr", "/lib", "/lib64", "/bin"].flatMap((path) => ["-v", `${path}:${path}:ro`]);
    const server = ["bb", "/usr/bin/perl", "-e", SCTP_SERVER];
    await lab.ok("run", "-d", "--name", "sctp", ...tools, "-p", "9899:9899/sctp", ...server);
    await eventually("it listens", async () => (await lab.ok("logs", "sctp")).includes("ready"));
    await outside(async () => {
      const ask = ["perl", "-e", SCTP_CLIENT, OURS];
      equal((await run("ip", ["netns", "exec", "outside", "timeout", "20", ...ask])).stdout, `${THEIRS}\n`);
      equal((await run("timeout", ["20", ...ask])).stdout, `${OURS}\n`);
      const taken = await lab.havre(["run", "--rm", "-p", "9899:9899/sctp", "bb", "true"]);
      match(taken.stderr, /Bind for 0.0.0.0:9899 failed: port is already allocated/);
    });
    await lab.ok("rm", "-f", "sctp");
  });
}

function address(lab: Lab, container: string): Promise<string> {
  return lab.inspect(container, "{{.NetworkSettings.IPAddress}}");
}

/** With a host beyond this machine that knows no way to the containers' addresses: only what is masked gets an answer. */
async function outside(body: () => Promise<void>): Promise<void> {
  await command("ip", "netns", "add", "outside");
  await command("ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", "outside");
  await command("ip", "addr", "add", `${OURS}/24`, "dev", "near");
  await command("ip", "link", "set", "near", "up");
  await command("ip", "-n", "outside", "addr", "add", `${THEIRS}/24`, "dev", "far");
  await command("ip", "-n", "outside", "link", "set", "far", "up");
  const server = spawn("ip", ["netns", "exec", "outside", process.execPath, "-e", SERVER], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => server.once("close", resolve));
  try {
    let said = "";
    server.stdout.on("data", (data: Buffer) => {
      said += data.toString();
    });
    await eventually("the server outside listens", () => said.includes("listening"));
    await body();
  } finally {
    server.kill("SIGKILL");
    await ended;
    await command("ip", "link", "del", "near");
    await command("ip", "netns", "del", "outside");
    await command("umount", "/run/netns"); // Where ip keeps names; its own to leave, ours to take away.
  }
}

async function command(name: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(name, args);
  if (code !== 0) throw new Error(`${name} ${args.join(" ")}: ${stderr}`);
}
