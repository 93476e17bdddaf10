/**
 * What a test kills: networks in the folder and on the bridge named by the arguments, with two containers that run
 * (`kept`, `lost`: their pids are printed, they outlive this process) and others that come and go until the end.
 */
import { spawn } from "node:child_process";
import { endpointKind } from "./model.ts";
import { ON_BRIDGE, testNetworks } from "./test-host.ts";

const [, , bridge = "", folder = ""] = process.argv;
const { networks, store } = testNetworks(bridge, {}, folder);

async function run(container: string): Promise<number | undefined> {
  const { namespacePath, recorded } = await networks.attach(container, ON_BRIDGE);
  await recorded;
  const child = spawn("nsenter", [`--net=${namespacePath}`, "sh", "-c", "echo in; exec sleep 600"], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  return child.pid;
}

async function comeAndGo(name: string): Promise<never> {
  for (let turn = 0; ; turn++) {
    await networks.attach(`${name}-${turn}`, turn % 3 === 0 ? { kind: "none" } : ON_BRIDGE);
    await new Promise((resolve) => setTimeout(resolve, turn % 5));
    await (turn % 2 === 0 ? networks.forget(`${name}-${turn}`) : networks.release(`${name}-${turn}`));
  }
}

async function main(): Promise<void> {
  await networks.recover(new Map());
  const pids = [await run("kept"), await run("lost")];
  // A process runs in each: by then both are on disk.
  const recorded = store.view((tx) => tx.list(endpointKind)).map(({ containerId }) => containerId);
  if (recorded.sort().join() !== "kept,lost") throw new Error(`recorded: ${recorded.join()}`);
  process.stdout.write(`${pids.join(" ")}\n`);
  await Promise.all([comeAndGo("a"), comeAndGo("b"), comeAndGo("c")]);
}

main().catch((error) => {
  process.stderr.write(`${error}\n`);
  process.exit(1);
});
