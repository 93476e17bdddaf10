import { afterAll, beforeAll, expect, test } from "bun:test";
import { Harness, type Wire } from "../docker/fixtures/harness.ts";
import { container } from "../docker/fixtures/objects.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
  harness.engine.add(container({ id: "a1".repeat(32), name: "plain", status: { state: "running" } }));
});
afterAll(() => harness[Symbol.asyncDispose]());

async function exec(name: string, body: object): Promise<Wire> {
  const wire = await harness.connect();
  const text = JSON.stringify(body);
  wire.send(
    `POST /havre/v1/exec?container=${name} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
  );
  return wire;
}

const END = '{"exitCode":0}';

test("tells the exec's id, carries both directions, ends with the exit code", async () => {
  const wire = await exec("plain", { AttachStdin: true, AttachStdout: true, Cmd: ["cat"], Tty: true });
  const head = (await wire.untilText("hello")).toString("latin1");
  expect(head).toStartWith("HTTP/1.1 101 UPGRADED\r\n");
  expect(head).toMatch(/Havre-Exec-Id: [0-9a-f]{64}\r\n/);
  wire.send("typed");
  await wire.untilText("typed");
  wire.socket.end();
  const received = (await wire.untilEnd()).toString("latin1");
  expect(received).toContain("input ended");
  expect(received).toEndWith(`\x03\0\0\0\0\0\0${String.fromCharCode(END.length)}${END}`);
});

test("a command that does not start says why, then how it ended", async () => {
  const wire = await exec("plain", { AttachStdout: true, Cmd: ["missing"] });
  const received = (await wire.untilEnd()).toString("latin1");
  expect(received).toContain('exec: "missing": executable file not found in $PATH\r\n\x03\0\0\0');
  expect(received).toEndWith(END);
});

test("what fails before there is an exec is answered in HTTP", async () => {
  const refused = async (body: object) => (await (await exec("nosuch", body)).untilEnd()).toString("latin1");
  const answer = await refused({ AttachStdout: true, Cmd: ["true"] });
  expect(answer).toStartWith("HTTP/1.1 404 Not Found\r\n");
  expect(answer).toContain("No such container: nosuch");
  expect(await refused({ AttachStdout: true })).toStartWith("HTTP/1.1 400 Bad Request\r\n");
});
