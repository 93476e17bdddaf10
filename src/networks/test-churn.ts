/**
 * What a test kills: networks of the folder and bridge named by the arguments, made and removed all the time, with one
 * container (`kept`: its pid is printed, it outlives this process) that is connected to them and taken away.
 */
import { spawn } from "node:child_process";
import { ON_BRIDGE, testNetworks } from "./test-host.ts";

const [, , bridge = "", folder = ""] = process.argv;
const { networks } = testNetworks(bridge, {}, folder);

async function main(): Promise<void> {
  await networks.recover(new Map());
  const { namespacePath, recorded } = await networks.attach("kept", ON_BRIDGE);
  await recorded;
  const child = spawn("nsenter", [`--net=${namespacePath}`, "sh", "-c", "echo in; exec sleep 600"], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  process.stdout.write(`${child.pid}\n`);
  for (let turn = 0; ; turn++) {
    const name = `n${turn % 3}`;
    if (networks.list().some((one) => one.name === name)) {
      await networks.disconnect("kept", name);
      await networks.remove(name);
      continue;
    }
    await networks.create({ name, ipv6: turn % 2 === 0 });
    await networks.connect("kept", { network: name });
    await networks.attach(`other${turn % 4}`, {
      kind: "networks",
      endpoints: [{ network: name }, { network: "bridge" }],
    });
    await (turn % 2 === 0 ? networks.forget(`other${turn % 4}`) : networks.release(`other${turn % 4}`));
  }
}

main().catch((error) => {
  process.stderr.write(`${error}\n`);
  process.exit(1);
});
