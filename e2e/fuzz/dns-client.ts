/**
 * Run in a container's network namespace: sends wrong messages to its name server, then a right question by UDP and by
 * TCP, which must be answered. Arguments: seed, number of messages. Exit code 1, and why, when it is not.
 */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { decode, encode, type Packet } from "dns-packet";
import { randomFrom } from "../harness/random.ts";
import { mutateBytes } from "./mutate.ts";

const SERVER = "127.0.0.11";
const PATIENCE_MS = 10_000;
const [, , seed = "1", count = "50"] = process.argv;
const random = randomFrom(Number(seed));
const right: Packet = { type: "query", id: 7, flags: 0x0100, questions: [{ type: "A", name: "idle" }] };
const seeds: readonly Packet[] = [
  right,
  { ...right, questions: [{ type: "PTR", name: "2.1.99.10.in-addr.arpa" }] },
  { ...right, questions: [{ type: "AAAA", name: "idle.idle-net" }] },
  { ...right, additionals: [{ type: "OPT", name: ".", udpPayloadSize: 4096, flags: 0, options: [] } as never] },
  { ...right, type: "response", answers: [{ type: "A", name: "idle", data: "10.0.0.1" }] },
];

function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length & 0xffff);
  return Buffer.concat([length, message]);
}

const udp = createSocket("udp4");
udp.on("error", () => {});
for (let n = 0; n < Number(count); n++) {
  const message = mutateBytes(encode(random.pick(seeds)), random).subarray(0, 9_000);
  if (random.below(4) > 0) {
    await new Promise((sent) => udp.send(message, 53, SERVER, sent));
    continue;
  }
  const socket = connect(53, SERVER);
  socket.on("error", () => {});
  socket.end(random.below(2) ? framed(message) : mutateBytes(framed(message), random));
  await new Promise((closed) => setTimeout(closed, 5));
  socket.destroy();
}

const answered = new Promise<string>((resolve) => {
  const timer = setTimeout(() => resolve("a right question by UDP was not answered"), PATIENCE_MS);
  const question = { ...right, id: 4242 };
  udp.on("message", (message) => {
    let answer: Packet;
    try {
      answer = decode(message);
    } catch {
      return resolve(`an answer is no message: ${message.toString("hex")}`);
    }
    if (answer.id !== question.id) return;
    clearTimeout(timer);
    resolve(answer.answers?.length === 1 ? "" : `a wrong answer: ${JSON.stringify(answer)}`);
  });
  udp.send(encode(question), 53, SERVER);
});
const overTcp = new Promise<string>((resolve) => {
  const socket = connect(53, SERVER, () => socket.write(framed(encode(right))));
  const timer = setTimeout(() => resolve("a right question by TCP was not answered"), PATIENCE_MS);
  socket.once("error", (error) => resolve(`TCP: ${error.message}`));
  socket.once("data", (data) => {
    clearTimeout(timer);
    socket.destroy();
    resolve(data.length > 14 ? "" : "a short answer by TCP");
  });
});
const troubles = (await Promise.all([answered, overTcp])).filter((text) => text !== "");
udp.close();
if (troubles.length > 0) console.log(troubles.join("\n"));
process.exit(troubles.length > 0 ? 1 : 0);
