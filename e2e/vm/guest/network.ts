import { equal, match, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { run } from "../../harness/process.ts";
import { eventually, type Lab } from "./lab.ts";

const OURS = "198.51.100.1";
const THEIRS = "198.51.100.2";

/** Tells whoever connects which address it came from. */
const SERVER = `require("node:net").createServer((peer) => peer.end(peer.remoteAddress + "\\n")).listen(80, "0.0.0.0", () => console.log("listening"))`;

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
