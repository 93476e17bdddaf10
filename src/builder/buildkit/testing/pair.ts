import { rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RpcClient } from "../rpc/client.ts";
import { type Handlers, RpcServer } from "../rpc/server.ts";

/** A client on one end of a socket, and on the other a server that answers with `handlers`. */
export async function rpcPair(handlers: Handlers): Promise<{ readonly client: RpcClient } & AsyncDisposable> {
  const path = join(tmpdir(), `havre-rpc-${crypto.randomUUID()}.sock`);
  const { promise, resolve } = Promise.withResolvers<Socket>();
  const listener = createServer(resolve).listen(path);
  await new Promise((ready) => listener.once("listening", ready));
  const near = connect(path);
  const far = await promise;
  const served = new RpcServer(handlers).serve(far);
  const client = new RpcClient(near);
  return {
    client,
    async [Symbol.asyncDispose]() {
      client.close();
      near.destroy();
      await served;
      listener.close();
      rmSync(path, { force: true });
    },
  };
}
