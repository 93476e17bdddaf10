/** Archives given to a running daemon: into a container, as an image, as a layer, as a build's context. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { encodeTarHeader, TAR_TRAILER, tarPadding } from "../../src/snapshots/mod.ts";
import { reseal } from "../../src/snapshots/testing/reseal.ts";
import { FuzzedDaemon } from "./daemon.ts";
import { mutateBytes } from "./mutate.ts";
import { encodeRequest, type Outcome, rawRequest, refuseMistakes, type Surface } from "./surface.ts";

function tree(): Buffer {
  const file = (path: string, text: string) => {
    const body = Buffer.from(text);
    return [encodeTarHeader({ path, size: body.length, mode: 0o644 }), body, tarPadding(body.length)];
  };
  return Buffer.concat([
    encodeTarHeader({ path: "d/", type: "directory", mode: 0o755 }),
    ...file("Dockerfile", "FROM bb\nCOPY d /d\nLABEL a=b\n"),
    ...file("d/f", "content\n".repeat(90)),
    ...file("d/.wh.x", ""),
    ...file(`${"long/".repeat(40)}f`, "x"),
    encodeTarHeader({ path: "sparse", size: 2000, extents: [{ offset: 100, length: 200 }] }),
    Buffer.alloc(512, "s"),
    encodeTarHeader({ path: "d/link", type: "symlink", linkTarget: "../../../../../../../../tmp/havre-fuzz-escape" }),
    encodeTarHeader({ path: "d/hard", type: "hardlink", linkTarget: "d/f" }),
    encodeTarHeader({ path: "d/xattr", xattrs: new Map([["user.a", Buffer.from("b")]]) }),
    TAR_TRAILER,
  ]);
}

const TARGETS = [
  ["PUT", "/containers/idle/archive?path=/tmp"],
  ["PUT", "/containers/idle/archive?path=/data"],
  ["POST", "/images/create?fromSrc=-&repo=fuzz"],
  ["POST", "/images/load"],
  ["POST", "/build?t=fuzz"],
] as const;

export async function archives(): Promise<Surface & AsyncDisposable & { pid: number }> {
  const daemon = await FuzzedDaemon.start();
  const { engine } = daemon;
  const saved = join(engine.folder, "saved.tar");
  await engine.ok(["import", engine.file("tree.tar", tree()), "small"]);
  await engine.ok(["save", "-o", saved, "small"]);
  const image = readFileSync(saved);
  return {
    pid: daemon.pid,
    async feed(random): Promise<Outcome> {
      const [method, path] = random.pick(TARGETS);
      let body = mutateBytes(path === "/images/load" ? image : tree(), random);
      if (random.below(4) > 0) reseal(body);
      if (random.below(6) === 0) body = gzipSync(body);
      if (random.below(12) === 0) body = mutateBytes(body, random);
      const request = encodeRequest(method, `/v1.45${path}`, { "Content-Type": "application/x-tar" }, body);
      const answer = await rawRequest({ path: daemon.socket }, request);
      refuseMistakes(answer?.body ?? "", request);
      return answer && answer.status < 400 && !answer.body.includes('"errorDetail"') ? "taken" : "refused";
    },
    check: () => daemon.check(),
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}
