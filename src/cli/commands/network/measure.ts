import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { HavreError } from "../../../base/mod.ts";
import { defineCommand } from "../../command.ts";

const PING = 1;
const FLOOD = 2;
const ROUNDS = 3000;
const FLOOD_MS = 800;
const CHUNK = Buffer.alloc(256 * 1024, FLOOD);

/** The measuring program of `network advise`, run inside namespaces of the daemon's making. */
export const command = defineCommand({
  usage: "serve PORT | ask ADDRESS PORT",
  summary: "Measure a connection",
  examples: [],
  flags: {},
  min: 2,
  max: 3,
  async run({ context, args: [what, first = "", second = ""] }) {
    if (what === "serve") {
      await serve(Number(first), () => context.out.line("ready"));
      return 0;
    }
    if (what !== "ask") throw new HavreError("invalid-argument", `Unknown word ${what}`);
    const latency = await measureLatency(first, Number(second));
    const throughput = await measureThroughput(first, Number(second));
    context.out.line(JSON.stringify({ latency, throughput }));
    return 0;
  },
});

/** Sends each single byte back; swallows a flood, and says how much it was when it ends. */
async function serve(port: number, ready: () => void): Promise<never> {
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    let received = 0;
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      received += chunk.length;
      if (chunk[0] === PING) socket.write(chunk);
    });
    socket.on("end", () => socket.end(received > 0 ? `${received}\n` : ""));
  });
  await once(server.listen(port, "::"), "listening");
  ready();
  return new Promise<never>(() => {});
}

async function open(address: string, port: number): Promise<Socket> {
  const socket = connect({ host: address, port, noDelay: true, allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

/** Microseconds. */
async function measureLatency(address: string, port: number): Promise<number> {
  const socket = await open(address, port);
  const byte = Buffer.of(PING);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = performance.now();
    socket.write(byte);
    await new Promise((resolve) => socket.once("data", resolve));
    times.push(performance.now() - before);
  }
  socket.destroy();
  times.sort((one, other) => one - other);
  return Math.round((times[ROUNDS / 2] ?? 0) * 1000);
}

/** Bits per second that arrived. */
async function measureThroughput(address: string, port: number): Promise<number> {
  const socket = await open(address, port);
  const before = performance.now();
  while (performance.now() - before < FLOOD_MS) {
    if (!socket.write(CHUNK)) await new Promise((resolve) => socket.once("drain", resolve));
  }
  socket.end();
  let text = "";
  for await (const chunk of socket as AsyncIterable<Buffer>) text += chunk;
  return Math.round((Number(text) * 8000) / (performance.now() - before));
}
