/**
 * A name server for tests, to be run inside a container's network namespace: takes port 53 of all addresses, answers every
 * question for an address with the one given, and prints each name it is asked for.
 */
import { createSocket } from "node:dgram";
import { decode, encode } from "dns-packet";

const [, , data = ""] = process.argv;
const socket = createSocket("udp4");
socket.on("message", (message, { port, address }) => {
  const { id = 0, questions = [] } = decode(message);
  const [question] = questions;
  if (!question) return;
  process.stdout.write(`${question.name}\n`);
  const answers = question.type === "A" ? [{ type: "A" as const, name: question.name, ttl: 60, data }] : [];
  socket.send(encode({ type: "response", id, flags: 0x0180, questions, answers }), port, address);
});
socket.bind(53, "0.0.0.0", () => process.stdout.write("ready\n"));
