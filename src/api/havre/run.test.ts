import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Harness, type Wire } from "../docker/fixtures/harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness[Symbol.asyncDispose]());

async function run(body: object, query = ""): Promise<Wire> {
  const wire = await harness.connect();
  const text = JSON.stringify(body);
  wire.send(
    `POST /havre/v1/run${query} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
  );
  return wire;
}

/** The last frame's stream and its JSON. */
function farewell(received: Buffer): { stream: number | undefined; end: unknown } {
  const at = received.lastIndexOf(Buffer.from([3, 0, 0, 0]));
  return { stream: received[at], end: JSON.parse(received.subarray(at + 8).toString()) };
}

const attached = { Image: "bb", AttachStdin: true, AttachStdout: true, AttachStderr: true, OpenStdin: true };

describe("POST /havre/v1/run", () => {
  test("tells the container's id, carries both directions, ends with the exit code", async () => {
    const wire = await run({ ...attached, Cmd: ["cat"] }, "?name=one");
    const head = (await wire.untilText("\r\n\r\n")).toString();
    const id = /Havre-Container-Id: ([0-9a-f]{64})\r\n/.exec(head)?.[1] ?? "";
    expect(head).toStartWith("HTTP/1.1 101 UPGRADED\r\n");
    expect(harness.engine.containers.get("one").id).toBe(id);
    wire.send("typed");
    await wire.untilText("typed");
    wire.socket.end();
    await wire.untilText("input ended");
    harness.engine.exit(id, 7);
    expect(farewell(await wire.untilEnd())).toEqual({ stream: 3, end: { exitCode: 7 } });
  });

  test("a container that does not start says why in the last frame", async () => {
    const wire = await run({ ...attached, Cmd: ["missing"] });
    expect(farewell(await wire.untilEnd())).toEqual({
      stream: 3,
      end: { error: { status: 404, message: 'exec: "missing": executable file not found in $PATH' } },
    });
  });

  test("what fails before there is a container is answered in HTTP", async () => {
    const wire = await run({ ...attached, Image: "nosuch" });
    const answer = (await wire.untilEnd()).toString();
    expect(answer).toStartWith("HTTP/1.1 404 Not Found\r\n");
    expect(answer).toContain("No such image: nosuch:latest");
  });

  test("a client that leaves gives its session up", async () => {
    const wire = await run({ ...attached, Cmd: ["cat"] });
    await wire.untilText("\r\n\r\n");
    const session = harness.engine.sessions.at(-1);
    wire.socket.destroy();
    await session?.disposed;
  });
});
