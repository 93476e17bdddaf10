/**
 * Runs inside a network namespace (`nsenter --net=… bun prober.ts`): answers on port 7000 of TCP and UDP, and asks
 * others as told; with the argument `ask` only the latter. A line `tcp|udp|icmp ADDRESS` on standard input is answered by one line, `yes` or `no`, in order.
 */
import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, isIPv6 } from "node:net";
import { createInterface } from "node:readline";

const PORT = 7000;
/** A packet that is dropped is never answered: what is reached answers within a few milliseconds. */
const PATIENCE_MS = 700;

function ask(kind: string, address: string): Promise<boolean> {
  if (kind === "icmp") return ping(address);
  return kind === "tcp" ? askTcp(address) : askUdp(address);
}

function ping(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    execFile("busybox", [isIPv6(address) ? "ping6" : "ping", "-c", "1", "-W", "1", address], (error) =>
      resolve(!error),
    );
  });
}

function askTcp(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(PORT, address);
    const end = (answer: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end(false), PATIENCE_MS);
    socket.once("data", () => end(true));
    socket.once("error", () => end(false));
  });
}

function askUdp(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
    let timer: NodeJS.Timeout;
    const end = (answer: boolean) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    timer = setTimeout(() => end(false), PATIENCE_MS);
    socket.once("message", () => end(true));
    socket.once("error", () => end(false));
    socket.send("hello", PORT, address, (error) => {
      if (error) end(false);
    });
  });
}

async function main(): Promise<void> {
  const tcp = createServer((socket) => {
    socket.on("error", () => {});
    socket.end("hello");
  });
  const udp = createSocket({ type: "udp6", ipv6Only: false });
  udp.on("error", () => {});
  udp.on("message", (message, { address, port }) => udp.send(message, port, address));
  if (process.argv[2] !== "ask")
    await Promise.all([once(tcp.listen(PORT, "::"), "listening"), once(udp.bind(PORT, "::"), "listening")]);
  process.stdout.write("ready\n");
  for await (const line of createInterface({ input: process.stdin })) {
    const asked = line.split(",").map((one) => one.split(" ") as [string, string]);
    const answers = await Promise.all(asked.map(([kind, address]) => ask(kind, address)));
    process.stdout.write(`${answers.map((answer) => (answer ? "yes" : "no")).join(",")}\n`);
  }
  process.exit(0);
}

main().catch((error) => {
  process.stderr.write(`${error}\n`);
  process.exit(1);
});
